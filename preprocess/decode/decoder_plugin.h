// The whole interface of a decoder plugin: two C functions that are looked up by name. Plugins link what only some
// pictures need; they are loaded in a worker process when such a picture is met, and never before.
#pragma once

#include <cstddef>
#include <cstdint>

enum GanDecodeResult { kGanDecoded, kGanCorrupt, kGanTruncated, kGanUnsupported, kGanRefused };

// What the program gives to a decoder, which calls each at most once, before it returns.
struct GanDecodeHost {
  void* context;
  // Room for uint8 [height, width, channels], where channels is 3 (RGB) or 4 (RGBA, alpha not multiplied in);
  // `own_bytes` per pixel is what the decoder itself allocates. Null: the picture is refused, and so must the result
  // say (kGanRefused). Nothing large may be allocated before.
  std::uint8_t* (*allocate)(void* context, std::uint32_t width, std::uint32_t height, int channels, int own_bytes);
  // The EXIF orientation (1-8) in which the pixels are.
  void (*set_orientation)(void* context, int orientation);
  // Why the result is not kGanDecoded.
  void (*explain)(void* context, const char* why);
};

extern "C" {
int GanDecode(const std::uint8_t* file, std::size_t bytes, const GanDecodeHost* host);
const char* GanDecoderLibrary();  // name and version: "libtiff 4.5.0"
}
