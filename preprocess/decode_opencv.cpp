#include <dlfcn.h>

#include <limits>
#include <string>
#include <vector>

#include "preprocess/decode.h"
#include "preprocess/opencv_plugin.h"

namespace gan::preprocess {

namespace {

using DecodeFunction = decltype(&GanOpenCvDecode);

struct Plugin {
  DecodeFunction decode = nullptr;
  std::string why;  // it is not there
};

const Plugin& ThePlugin() {
  static const Plugin kPlugin = [] {
    Plugin loaded;
    void* library = ::dlopen("libgan_opencv.so", RTLD_NOW | RTLD_LOCAL);
    if (library != nullptr) loaded.decode = reinterpret_cast<DecodeFunction>(::dlsym(library, "GanOpenCvDecode"));
    if (loaded.decode == nullptr) loaded.why = ::dlerror();
    return loaded;
  }();
  return kPlugin;
}

struct Room {
  const DecodeOptions& options;
  std::vector<std::uint8_t> rgba = {};
  std::uint32_t width = 0, height = 0;
};

std::uint8_t* Allocate(void* context, std::uint32_t width, std::uint32_t height) {
  Room& room = *static_cast<Room*>(context);
  if (width == 0 || height == 0 || width > room.options.max_pixels / height) return nullptr;
  room.width = width;
  room.height = height;
  room.rgba.resize(std::size_t{4} * width * height);
  return room.rgba.data();
}

std::uint32_t LittleEndian(std::span<const std::byte> file, std::size_t at) {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < 4; ++i) value |= static_cast<std::uint32_t>(file[at + i]) << (8 * i);
  return value;
}

// OpenCV allocates before it can be asked; a BMP's size stands at a fixed place. (It limits itself to 2^30 pixels.)
void RequireBmpSize(std::span<const std::byte> file, const DecodeOptions& options) {
  if (file.size() < 26 || file[0] != std::byte{'B'}) return;
  const auto magnitude = [](std::uint32_t v) { return v > 0x7FFFFFFF ? std::uint64_t{0} + (~v + 1) : v; };
  RequireSize(magnitude(LittleEndian(file, 18)), magnitude(LittleEndian(file, 22)), options);
}

// What OpenCV 4.6 turns into the pixels that Pillow makes of it: see OpenCvReadsItRight().
struct TiffFacts {
  std::uint32_t width = 0, height = 0;
  std::uint32_t bits = 1, samples = 1, photometric = 0, planar = 1, extra = 0, format = 1, compression = 1;
  std::uint32_t samples_with_bits = 1;
};

class TiffDirectory {
 public:
  explicit TiffDirectory(std::span<const std::byte> file) : file_(file), big_(file[0] == std::byte{'M'}) {}

  // The first page's. Zeros where the file ends.
  TiffFacts Read() const {
    TiffFacts facts;
    const std::size_t directory = Number(4, 4);
    const std::uint32_t entries = Number(directory, 2);
    for (std::uint32_t i = 0; i < entries; ++i) Take(directory + 2 + std::size_t{12} * i, facts);
    return facts;
  }

 private:
  std::uint32_t Number(std::size_t at, std::size_t count) const {
    if (at > file_.size() || count > file_.size() - at) return 0;
    std::uint32_t value = 0;
    for (std::size_t i = 0; i < count; ++i) {
      value = value << 8 | static_cast<std::uint32_t>(file_[at + (big_ ? i : count - 1 - i)]);
    }
    return value;
  }

  // Tag, type (3: 16 bits), count, value or, when that takes more than four bytes, its place.
  void Take(std::size_t entry, TiffFacts& facts) const {
    const bool is_short = Number(entry + 2, 2) == 3;
    const std::uint32_t count = Number(entry + 4, 4);
    const std::size_t at = is_short && count > 2 ? Number(entry + 8, 4) : entry + 8;
    const std::uint32_t value = Number(at, is_short ? 2 : 4);
    switch (Number(entry, 2)) {
      case 256:
        facts.width = value;
        break;
      case 257:
        facts.height = value;
        break;
      case 258:
        facts.bits = value;
        facts.samples_with_bits = count;
        break;
      case 259:
        facts.compression = value;
        break;
      case 262:
        facts.photometric = value;
        break;
      case 277:
        facts.samples = value;
        break;
      case 284:
        facts.planar = value;
        break;
      case 338:
        facts.extra = value;
        break;
      case 339:
        facts.format = value;
        break;
      default:
        break;
    }
  }

  std::span<const std::byte> file_;
  bool big_;
};

// Plain grey, RGB and RGBA with straight alpha. Others come out of OpenCV otherwise than out of Pillow (palettes, Lab,
// CMYK, alpha already multiplied, 12 bits, bits told for one sample of four) or even differently from call to call
// (separate planes), and damaged fax data passes for a picture.
bool OpenCvReadsItRight(const TiffFacts& t) {
  const bool fax_or_webp = t.compression == 2 || t.compression == 3 || t.compression == 4 || t.compression == 50001;
  if (t.planar != 1 || t.format != 1 || fax_or_webp || t.samples_with_bits != t.samples) return false;
  if (t.samples == 1) return t.photometric <= 1 && (t.bits == 1 || t.bits == 8 || t.bits == 16);
  if (t.photometric != 2) return t.photometric == 6 && t.samples == 3 && t.bits == 8;
  return (t.samples == 3 && (t.bits == 8 || t.bits == 16)) || (t.samples == 4 && t.bits == 8 && t.extra == 2);
}

void RequirePlainTiff(std::span<const std::byte> file, const DecodeOptions& options) {
  if (file.size() < 8 || (file[0] != std::byte{'I'} && file[0] != std::byte{'M'})) return;
  const TiffFacts facts = TiffDirectory(file).Read();
  RequireSize(facts.width, facts.height, options);
  if (!OpenCvReadsItRight(facts)) throw Rejected(Reason::kUnsupported, "TIFF of a kind that is not read exactly");
}

}  // namespace

Rgb8 DecodeWithOpenCv(std::span<const std::byte> file, const DecodeOptions& options) {
  if (ThePlugin().decode == nullptr) throw Rejected(Reason::kUnsupported, "OpenCV plugin: " + ThePlugin().why);
  if (file.size() > std::numeric_limits<int>::max()) throw Rejected(Reason::kTooLarge, "the file has over 2 GiB");
  RequireBmpSize(file, options);
  RequirePlainTiff(file, options);
  Room room{options};
  switch (ThePlugin().decode(reinterpret_cast<const std::uint8_t*>(file.data()), file.size(), Allocate, &room)) {
    case kGanOpenCvDone:
      return Composite(room.rgba, room.width, room.height, options.background);
    case kGanOpenCvTooLarge:
      throw Rejected(Reason::kTooLarge, "more than " + std::to_string(options.max_pixels) + " pixels (--max-pixels)");
    case kGanOpenCvUnsupported:
      throw Rejected(Reason::kUnsupported, "neither 8 nor 16 bits, or a strange number of channels");
    default:
      throw Rejected(Reason::kCorrupt, "OpenCV cannot decode it");
  }
}

}  // namespace gan::preprocess
