// Where the pictures lie in an array.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>

#include "preprocess/inputs/array_header.h"

namespace gan::preprocess {

// Pictures of one size, one after another: `prefix` bytes that are no pixels, then uint8 [height, width, channels] or,
// where it is planar, [channels, height, width].
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

// Where the pictures of [n, height, width], [n, height, width, channels] or [n, channels, height, width] lie, or the
// one of [height, width, channels]. Nothing when `header` is no array of pictures. Throws DataError when it is one of
// an order or of a size that is not read.
std::optional<PictureArray> LayoutOf(const ArrayHeader& header, const std::filesystem::path& file);

}  // namespace gan::preprocess
