// Ways to decode less than the whole of a JPEG.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "preprocess/decode.h"
#include "preprocess/resample.h"

namespace gan::preprocess {

// The pixels of `where` of a picture of width x height.
struct JpegPart {
  Rgb8 image;
  Region where;
  std::uint32_t width = 0;
  std::uint32_t height = 0;
};

// At least the part that ResizeAndCrop(size, filter) looks at, with exactly the pixels of the whole picture. The
// entropy-coded data is read to its end, so damage anywhere in it is noticed; after any damage the whole is decoded
// instead, so that the outcome is DecodeJpeg()'s. Throws Rejected.
JpegPart DecodeJpegPart(std::span<const std::byte> file, const DecodeOptions& options, std::uint32_t size,
                        Filter filter);

// Decoded at 1/8, 1/4, 1/2 or the whole of its size: the smallest whose short side has `least` pixels.
Rgb8 DecodeJpegScaled(std::span<const std::byte> file, const DecodeOptions& options, std::uint32_t least);

}  // namespace gan::preprocess
