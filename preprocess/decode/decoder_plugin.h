// The whole interface of a decoder plugin: two C functions that are looked up by name. Plugins link libraries that only
// some pictures need. A worker process loads a plugin when such a picture is met, and never earlier.
#pragma once

#include <cstddef>
#include <cstdint>

enum GanDecodeResult { kGanDecoded, kGanCorrupt, kGanTruncated, kGanUnsupported, kGanRefused };

// The functions that the program provides to a decoder. The decoder calls each at most once, before it returns.
struct GanDecodeHost {
  void* context;
  // Returns memory for uint8 [height, width, channels], where channels is 3 (RGB) or 4 (RGBA, alpha not multiplied in).
  // `own_bytes` is the decoder's own memory per pixel. Null means that the picture is refused; the decoder must then
  // return kGanRefused. It must not allocate anything large before.
  std::uint8_t* (*allocate)(void* context, std::uint32_t width, std::uint32_t height, int channels, int own_bytes);
  // Reports the EXIF orientation (1-8) of the pixels.
  void (*set_orientation)(void* context, int orientation);
  // Reports why the result is not kGanDecoded.
  void (*explain)(void* context, const char* why);
};

extern "C" {
int GanDecode(const std::uint8_t* file, std::size_t bytes, const GanDecodeHost* host);
const char* GanDecoderLibrary();  // name and version: "libtiff 4.5.0"
}
