// The formats whose decoders are plugins: which one, and what to do where it is missing.
#include <dlfcn.h>

#include <cstdlib>
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
    "HEIC needs libheif: run setup/libheif.sh and build again, or name a libheif.so.1 in GAN_LIBHEIF; ";

#ifndef GAN_LIBHEIF_PATH
#define GAN_LIBHEIF_PATH ""
#endif

// The plugin is not linked to it: what it calls is looked up in what is loaded here.
void LoadLibheif() {
  const char* const named = std::getenv("GAN_LIBHEIF");
  static const void* const kLoaded = ::dlopen(named == nullptr ? GAN_LIBHEIF_PATH : named, RTLD_NOW | RTLD_GLOBAL);
  if (kLoaded == nullptr) throw Rejected(Reason::kUnsupported, std::string(kHeifAdvice) + "it cannot be loaded");
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
  LoadLibheif();
  return DecodeWithPlugin(kHeif, kHeifAdvice, Turning::kAsAsked, file, options);
}
std::string HeifLibrary() { return LibraryOfPlugin(kHeif); }

}  // namespace gan::preprocess
