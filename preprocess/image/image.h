#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace gan::preprocess {

// uint8 [height, width, 3], RGB, without padding.
struct Rgb8 {
  std::uint32_t width = 0;
  std::uint32_t height = 0;
  std::vector<std::uint8_t> pixels;

  Rgb8() = default;
  Rgb8(std::uint32_t w, std::uint32_t h) : width(w), height(h), pixels(std::size_t{3} * w * h) {}
};

// A rectangle of a larger picture.
struct Region {
  std::uint32_t x = 0;
  std::uint32_t y = 0;
  std::uint32_t width = 0;
  std::uint32_t height = 0;
};

}  // namespace gan::preprocess
