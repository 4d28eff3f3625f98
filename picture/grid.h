#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace gan::picture {

struct GridImage {
  std::uint32_t width = 0;
  std::uint32_t height = 0;
  std::vector<std::uint8_t> pixels;  // uint8 [height, width, 3]
};

// Lays uint8 [count, size, size, 3] out in rows of `columns`, two white pixels apart.
GridImage Grid(std::span<const std::uint8_t> images, std::uint32_t count, std::uint32_t size, std::uint32_t columns);

}  // namespace gan::picture
