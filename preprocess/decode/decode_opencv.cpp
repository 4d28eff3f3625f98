#include <limits>
#include <string>

#include "preprocess/decode/decode.h"
#include "preprocess/decode/opencv_worker.h"

namespace gan::preprocess {

namespace {

constexpr std::uint64_t kBytesPerPixel = 8 + 4 + 3;  // OpenCV's with 16 bits, RGBA, RGB

std::uint32_t LittleEndian(std::span<const std::byte> file, std::size_t at) {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < 4; ++i) value |= static_cast<std::uint32_t>(file[at + i]) << (8 * i);
  return value;
}

// OpenCV allocates before it can be asked; a BMP's size stands at a fixed place. (It limits itself to 2^30 pixels.)
void RequireBmpSize(std::span<const std::byte> file, const DecodeOptions& options) {
  if (file.size() < 26 || file[0] != std::byte{'B'}) return;
  const auto magnitude = [](std::uint32_t v) { return v > 0x7FFFFFFF ? std::uint64_t{0} + (~v + 1) : v; };
  RequireRoom(magnitude(LittleEndian(file, 18)), magnitude(LittleEndian(file, 22)), kBytesPerPixel, options);
}

// "P6", width, height in decimal, with white space and comments between.
class PnmHeader {
 public:
  explicit PnmHeader(std::span<const std::byte> file) : rest_(file.subspan(2)) {}

  std::uint64_t Number() {
    while (!rest_.empty() && (IsSpace() || Next() == '#')) {
      if (Next() == '#') SkipLine();
      if (!rest_.empty()) rest_ = rest_.subspan(1);
    }
    std::uint64_t number = 0;
    for (; !rest_.empty() && Next() >= '0' && Next() <= '9' && number < kAbsurd; rest_ = rest_.subspan(1)) {
      number = 10 * number + static_cast<std::uint64_t>(Next() - '0');
    }
    return number;
  }

 private:
  static constexpr std::uint64_t kAbsurd = std::uint64_t{1} << 32;
  char Next() const { return static_cast<char>(rest_.front()); }
  bool IsSpace() const { return Next() == ' ' || (Next() >= '\t' && Next() <= '\r'); }
  void SkipLine() {
    while (rest_.size() > 1 && Next() != '\n') rest_ = rest_.subspan(1);
  }

  std::span<const std::byte> rest_;
};

void RequirePnmSize(std::span<const std::byte> file, const DecodeOptions& options) {
  if (file.size() < 2 || file[0] != std::byte{'P'}) return;
  PnmHeader header(file);
  const std::uint64_t width = header.Number();
  const std::uint64_t height = header.Number();
  RequireRoom(width, height, kBytesPerPixel, options);
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
  RequireRoom(facts.width, facts.height, kBytesPerPixel, options);
  if (!OpenCvReadsItRight(facts)) throw Rejected(Reason::kUnsupported, "TIFF of a kind that is not read exactly");
}

}  // namespace

Rgb8 DecodeWithOpenCv(std::span<const std::byte> file, const DecodeOptions& options) {
  if (file.size() > std::numeric_limits<int>::max()) throw Rejected(Reason::kTooLarge, "the file has over 2 GiB");
  RequireBmpSize(file, options);
  RequirePnmSize(file, options);
  RequirePlainTiff(file, options);
  const OpenCvReply reply = DecodeApart(file, options.max_pixels);
  switch (reply.result) {
    case kGanOpenCvDone:
      return Composite(reply.rgba, reply.width, reply.height, options.background);
    case kGanOpenCvTooLarge:
      throw Rejected(Reason::kTooLarge, "more than " + std::to_string(options.max_pixels) + " pixels (--max-pixels)");
    case kGanOpenCvUnsupported:
      throw Rejected(Reason::kUnsupported, "neither 8 nor 16 bits, or a strange number of channels");
    default:
      throw Rejected(Reason::kCorrupt, "OpenCV cannot decode it");
  }
}

// Loading it to ask would cost more than a run over JPEGs.
std::string OpenCvLibrary() { return "OpenCV"; }

}  // namespace gan::preprocess
