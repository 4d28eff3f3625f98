// From the bytes of a picture file to RGB, as Pillow 12.0.0 would make it: greyscale, palette, 16-bit, alpha, CMYK.
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
  Room* room = nullptr;                                      // asked before anything large is allocated
};

struct Format;  // a row of the table in formats.h

// The row of this file. Throws Rejected when there is none, or when nothing here reads that format.
const Format& RecogniseOrReject(std::span<const std::byte> file);

// Chooses the decoder by the file's content, and turns the picture. Throws Rejected. Safe to call from many threads.
Rgb8 Decode(std::span<const std::byte> file, const DecodeOptions& options);
// The same for a file that has been recognised.
Rgb8 DecodeAs(const Format& format, std::span<const std::byte> file, const DecodeOptions& options);

// The formats, one small file each; the content has been recognised. The orientation of the first three is applied by
// DecodeAs(), the other formats have none or are turned here.
Rgb8 DecodeJpeg(std::span<const std::byte> file, const DecodeOptions& options);
Rgb8 DecodePng(std::span<const std::byte> file, const DecodeOptions& options);
Rgb8 DecodeGif(std::span<const std::byte> file, const DecodeOptions& options);
Rgb8 DecodeWebp(std::span<const std::byte> file, const DecodeOptions& options);
Rgb8 DecodeBmp(std::span<const std::byte> file, const DecodeOptions& options);
Rgb8 DecodePnm(std::span<const std::byte> file, const DecodeOptions& options);
Rgb8 DecodeSunRaster(std::span<const std::byte> file, const DecodeOptions& options);
// These load a plugin at the first such picture, and so do the functions that name its library.
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

// Throws Rejected(kTooLarge) when width x height is beyond the limit, kTooSmall when a side is below the other limit,
// kCropped when the crop would keep too little of the longer one, kCorrupt when it is zero.
void RequireSize(std::uint64_t width, std::uint64_t height, const DecodeOptions& options);

// The same, and waits until there is room for decoding it. bytes_per_pixel: what the decoder allocates at most, its own
// buffers and the RGB that it gives.
void RequireRoom(std::uint64_t width, std::uint64_t height, std::uint64_t bytes_per_pixel,
                 const DecodeOptions& options);

// rgba: uint8 [height, width, 4], straight alpha -> RGB over the background, with the arithmetic of Pillow's
// alpha_composite (src/libImaging/AlphaComposite.c).
Rgb8 Composite(std::span<const std::uint8_t> rgba, std::uint32_t width, std::uint32_t height,
               const std::array<std::uint8_t, 3>& background);

}  // namespace gan::preprocess
