// The places of the pictures in an array.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>

#include "preprocess/inputs/array_header.h"

namespace gan::preprocess {

// Pictures of one size, one after another. Each is `prefix` bytes that are not pixels, then uint8 [height, width,
// channels] or, when planar, [channels, height, width].
struct PictureArray {
  std::uint64_t offset = 0;
  std::uint64_t count = 0;
  std::uint32_t width = 0, height = 0, channels = 0;
  std::uint32_t prefix = 0;
  bool is_planar = false;
  bool is_one = false;  // the array is one picture

  std::uint64_t pixel_bytes() const { return std::uint64_t{width} * height * channels; }
  std::uint64_t stride() const { return prefix + pixel_bytes(); }
};

// The layout of the pictures of [n, height, width], [n, height, width, channels] or [n, channels, height, width], or of
// the one picture of [height, width, channels]. Empty when `header` is not an array of pictures. Throws DataError when
// its order or its size is not supported.
std::optional<PictureArray> LayoutOf(const ArrayHeader& header, const std::filesystem::path& file);

}  // namespace gan::preprocess
