// The formats whose decoders are plugins: which one, and what to do where it is missing.
#include <dlfcn.h>

#include <cstdlib>

#include "preprocess/decode/decode.h"
#include "preprocess/decode/plugin.h"

namespace gan::preprocess {

namespace {

constexpr const char* kTiff = "libgan_tiff.so";
constexpr const char* kAvif = "libgan_avif.so";
constexpr const char* kJxl = "libgan_jxl.so";
constexpr const char* kHeif = "libgan_heif.so";
constexpr const char* kHeifAdvice =
    "HEIC needs libheif: setup/libheif.sh fetches it, then build again; or name another one's libheif.so in "
    "GAN_LIBHEIF; ";

// What the plugin asks for by its name is what is loaded already.
void LoadNamedLibheif() {
  static const char* const kNamed = std::getenv("GAN_LIBHEIF");
  static void* const kLoaded = kNamed == nullptr ? nullptr : ::dlopen(kNamed, RTLD_NOW | RTLD_GLOBAL);
  static_cast<void>(kLoaded);
}

}  // namespace

// Pillow turns a TIFF as it reads it, whether asked to or not.
Rgb8 DecodeTiff(std::span<const std::byte> file, const DecodeOptions& options) {
  return DecodeWithPlugin(kTiff, "", Turning::kAlways, file, options);
}
std::string TiffLibrary() { return LibraryOfPlugin(kTiff); }

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
  LoadNamedLibheif();
  return DecodeWithPlugin(kHeif, kHeifAdvice, Turning::kAsAsked, file, options);
}
std::string HeifLibrary() { return LibraryOfPlugin(kHeif); }

}  // namespace gan::preprocess
