#include "preprocess/pipeline/channel_sums.h"

#include <algorithm>
#include <cstddef>

namespace gan::preprocess {

namespace {

// A multiple of the vector length and of the pixel size, so that the compiler can vectorise the loop.
constexpr std::size_t kLanes = 48;
// The number of times that 255 fits into 16 bits; its square fits as often into 32.
constexpr std::size_t kMostBlocks = 0xFFFF / 255;

struct Lanes {
  std::array<std::uint16_t, kLanes> plain{};
  std::array<std::uint32_t, kLanes> squares{};
};

void AddBlocks(const std::uint8_t* pixels, std::size_t blocks, Lanes& lanes) {
  Lanes sums;  // local, so that it stays in registers: bytes could alias `lanes`
  for (std::size_t block = 0; block < blocks; ++block, pixels += kLanes) {
    for (std::size_t i = 0; i < kLanes; ++i) {
      const std::uint16_t value = pixels[i];
      sums.plain[i] = static_cast<std::uint16_t>(sums.plain[i] + value);
      // 255 squared fits 16 bits. The first x86-64 processors have no vector instruction for products of 32 bits.
      sums.squares[i] += static_cast<std::uint16_t>(value * value);
    }
  }
  lanes = sums;
}

void AddOne(std::uint64_t plain, std::uint64_t square, std::size_t i, ChannelSums& sums) {
  sums.plain[i % 3] += plain;
  sums.squares[i % 3] += square;
}

}  // namespace

void ChannelSums::Add(const ChannelSums& other) {
  for (std::size_t c = 0; c < 3; ++c) {
    plain[c] += other.plain[c];
    squares[c] += other.squares[c];
  }
}

ChannelSums SumsOf(std::span<const std::uint8_t> pixels) {
  ChannelSums sums;
  while (pixels.size() >= kLanes) {
    const std::size_t blocks = std::min(pixels.size() / kLanes, kMostBlocks);
    Lanes lanes;
    // Integers, so that neither threads nor ranks change the mean and deviation in the manifest.
    AddBlocks(pixels.data(), blocks, lanes);
    for (std::size_t i = 0; i < kLanes; ++i) AddOne(lanes.plain[i], lanes.squares[i], i, sums);
    pixels = pixels.subspan(blocks * kLanes);
  }
  for (std::size_t i = 0; i < pixels.size(); ++i) AddOne(pixels[i], std::uint64_t{pixels[i]} * pixels[i], i, sums);
  return sums;
}

}  // namespace gan::preprocess
