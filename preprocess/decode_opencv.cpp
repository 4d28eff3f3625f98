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

}  // namespace

Rgb8 DecodeWithOpenCv(std::span<const std::byte> file, const DecodeOptions& options) {
  if (ThePlugin().decode == nullptr) throw Rejected(Reason::kUnsupported, "OpenCV plugin: " + ThePlugin().why);
  if (file.size() > std::numeric_limits<int>::max()) throw Rejected(Reason::kTooLarge, "the file has over 2 GiB");
  RequireBmpSize(file, options);
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
