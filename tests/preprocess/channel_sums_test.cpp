#include "preprocess/pipeline/channel_sums.h"

#include <gtest/gtest.h>

#include <vector>

namespace gan::preprocess {
namespace {

TEST(ChannelSums, AreThoseOfEveryPixelWhateverTheLength) {
  for (const std::size_t pixels : {1U, 15U, 16U, 17U, 64U, 1000U, 16384U}) {
    std::vector<std::uint8_t> values(3 * pixels);
    ChannelSums wanted;
    for (std::size_t i = 0; i < values.size(); ++i) {
      values[i] = static_cast<std::uint8_t>(i * i * 37 + i);
      wanted.plain[i % 3] += values[i];
      wanted.squares[i % 3] += std::uint64_t{values[i]} * values[i];
    }
    const ChannelSums sums = SumsOf(values);
    EXPECT_EQ(wanted.plain, sums.plain) << pixels;
    EXPECT_EQ(wanted.squares, sums.squares) << pixels;
  }
}

TEST(ChannelSums, DoNotOverflowForTheLargestRecord) {
  const std::vector<std::uint8_t> white(std::size_t{3} * 4096 * 4096, 255);
  const std::uint64_t pixels = std::uint64_t{4096} * 4096;
  EXPECT_EQ(255 * pixels, SumsOf(white).plain[2]);
  EXPECT_EQ(255 * 255 * pixels, SumsOf(white).squares[0]);
}

}  // namespace
}  // namespace gan::preprocess
