#pragma once

#include <array>
#include <cstdint>
#include <span>

namespace gan::preprocess {

// For red, green and blue: the sums of all values and of their squares.
struct ChannelSums {
  std::array<std::uint64_t, 3> plain{};
  std::array<std::uint64_t, 3> squares{};
  void Add(const ChannelSums& other);
};

// pixels: uint8 RGB.
ChannelSums SumsOf(std::span<const std::uint8_t> pixels);

}  // namespace gan::preprocess
