// Converts the bytes of a picture file to RGB as Pillow 12.0.0 does: greyscale, palette, 16-bit, alpha, CMYK.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "preprocess/image/image.h"
#include "preprocess/image/memory_budget.h"
#include "preprocess/image/rejected.h"

namespace gan::preprocess {

struct DecodeOptions {
  std::array<std::uint8_t, 3> background = {255, 255, 255};  // alpha is composited onto it
  bool apply_exif = true;                                    // turn by EXIF orientation 1-8
  std::uint64_t max_pixels = 64'000'000;                     // checked before anything is allocated
  std::uint32_t min_side = 1;                                // smaller pictures are rejected, too
  std::uint32_t min_kept = 0;                                // per cent of the long side that the crop must keep
  Room* room = nullptr;                                      // asked for memory before any large allocation
};

struct Format;  // a row of the table in formats.h

// The format of this file. Throws Rejected when it is unknown, or when the program has no decoder for it.
const Format& RecogniseOrReject(std::span<const std::byte> file);

// Chooses the decoder by the file's content, and turns the picture. Throws Rejected. Safe to call from many threads.
Rgb8 Decode(std::span<const std::byte> file, const DecodeOptions& options);
// Decodes a file whose format has been recognised.
Rgb8 DecodeAs(const Format& format, std::span<const std::byte> file, const DecodeOptions& options);

// The formats, one small file each, for content that has been recognised. DecodeAs() applies the orientation of the
// first three. The others have none, or their functions apply it.
Rgb8 DecodeJpeg(std::span<const std::byte> file, const DecodeOptions& options);
Rgb8 DecodePng(std::span<const std::byte> file, const DecodeOptions& options);
Rgb8 DecodeGif(std::span<const std::byte> file, const DecodeOptions& options);
Rgb8 DecodeWebp(std::span<const std::byte> file, const DecodeOptions& options);
Rgb8 DecodeBmp(std::span<const std::byte> file, const DecodeOptions& options);
Rgb8 DecodePnm(std::span<const std::byte> file, const DecodeOptions& options);
Rgb8 DecodeSunRaster(std::span<const std::byte> file, const DecodeOptions& options);
// These functions, and those that return the library's name, load a plugin at the first such picture.
Rgb8 DecodeTiff(std::span<const std::byte> file, const DecodeOptions& options);
Rgb8 DecodeAvif(std::span<const std::byte> file, const DecodeOptions& options);
Rgb8 DecodeHeic(std::span<const std::byte> file, const DecodeOptions& options);
Rgb8 DecodeJxl(std::span<const std::byte> file, const DecodeOptions& options);
Rgb8 DecodeJpeg2000(std::span<const std::byte> file, const DecodeOptions& options);
Rgb8 DecodeHdr(std::span<const std::byte> file, const DecodeOptions& options);
std::string TiffLibrary();
std::string AvifLibrary();
std::string HeifLibrary();
std::string JxlLibrary();
std::string OpenCvLibrary();

// Throws Rejected(kTooLarge) when width x height is beyond the limit, kTooSmall when a side is below the minimum,
// kCropped when the crop would keep too little of the longer side, kCorrupt when it is zero.
void RequireSize(std::uint64_t width, std::uint64_t height, const DecodeOptions& options);

// Checks the size in the same way, and waits until there is memory for decoding. bytes_per_pixel: the decoder's largest
// allocation, its own buffers and the RGB output.
void RequireRoom(std::uint64_t width, std::uint64_t height, std::uint64_t bytes_per_pixel,
                 const DecodeOptions& options);

// rgba: uint8 [height, width, 4], straight alpha -> RGB over the background, with the arithmetic of Pillow's
// alpha_composite (src/libImaging/AlphaComposite.c).
Rgb8 Composite(std::span<const std::uint8_t> rgba, std::uint32_t width, std::uint32_t height,
               const std::array<std::uint8_t, 3>& background);

}  // namespace gan::preprocess
