#include "picture/grid.h"

#include <algorithm>
#include <cstring>

namespace gan::picture {

GridImage Grid(std::span<const std::uint8_t> images, std::uint32_t count, std::uint32_t size, std::uint32_t columns) {
  constexpr std::uint32_t kGap = 2;
  columns = std::max(1U, std::min(columns, count));
  const std::uint32_t rows = (count + columns - 1) / columns;
  GridImage grid{.width = columns * (size + kGap) + kGap, .height = rows * (size + kGap) + kGap, .pixels = {}};
  // White everywhere first, for the gaps and the empty places of an incomplete last row.
  grid.pixels.assign(std::size_t{3} * grid.width * grid.height, 255);
  const std::size_t row_bytes = std::size_t{3} * size;
  for (std::uint32_t i = 0; i < count; ++i) {
    const std::size_t left = kGap + static_cast<std::size_t>(i % columns) * (size + kGap);
    const std::size_t top = kGap + static_cast<std::size_t>(i / columns) * (size + kGap);
    for (std::size_t y = 0; y < size; ++y) {
      std::memcpy(&grid.pixels[3 * ((top + y) * grid.width + left)], &images[(i * std::size_t{size} + y) * row_bytes],
                  row_bytes);
    }
  }
  return grid;
}

}  // namespace gan::picture
