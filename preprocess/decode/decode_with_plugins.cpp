// The formats whose decoders are plugins: the name of each plugin, and the advice when it is missing.
#include <string>

#include "preprocess/decode/decode.h"
#include "preprocess/decode/plugin.h"

namespace gan::preprocess {

namespace {

constexpr const char* kTiff = "libgan_tiff.so";
constexpr const char* kAvif = "libgan_avif.so";
constexpr const char* kJxl = "libgan_jxl.so";
constexpr const char* kHeif = "libgan_heif.so";
constexpr const char* kHeifAdvice =
    "HEIC needs libheif: run setup/libheif.sh and build again; ";  // the plugin was not built

}  // namespace

// Pillow always applies the orientation of a TIFF while it reads it.
Rgb8 DecodeTiff(std::span<const std::byte> file, const DecodeOptions& options) {
  return DecodeWithPlugin(kTiff, "", Turning::kAlways, file, options);
}
std::string TiffLibrary() { return LibraryOfPlugin(kTiff); }

// libavif does not turn pictures, so --exif decides, as for a JPEG.
Rgb8 DecodeAvif(std::span<const std::byte> file, const DecodeOptions& options) {
  return DecodeWithPlugin(kAvif, "", Turning::kAsAsked, file, options);
}
std::string AvifLibrary() { return LibraryOfPlugin(kAvif); }

// libjxl and libheif turn pictures themselves.
Rgb8 DecodeJxl(std::span<const std::byte> file, const DecodeOptions& options) {
  return DecodeWithPlugin(kJxl, "", Turning::kAsAsked, file, options);
}
std::string JxlLibrary() { return LibraryOfPlugin(kJxl); }

Rgb8 DecodeHeic(std::span<const std::byte> file, const DecodeOptions& options) {
  return DecodeWithPlugin(kHeif, kHeifAdvice, Turning::kAsAsked, file, options);
}
std::string HeifLibrary() { return LibraryOfPlugin(kHeif); }

}  // namespace gan::preprocess
