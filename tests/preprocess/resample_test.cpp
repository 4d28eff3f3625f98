#include "preprocess/resize/resample.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <random>

namespace gan::preprocess {
namespace {

Rgb8 Noise(std::uint32_t width, std::uint32_t height) {
  std::mt19937 random(width * 7919 + height);
  Rgb8 image(width, height);
  // Extreme values beside each other, which overshoot with Lanczos.
  for (auto& value : image.pixels) value = random() % 4 == 0 ? 255 : static_cast<std::uint8_t>(random() % 3);
  return image;
}

constexpr Filter kFilters[] = {Filter::kBilinear, Filter::kLanczos, Filter::kBox};

struct Size {
  std::uint32_t width, height;
};
constexpr Size kSizes[] = {{1, 1},     {1, 900},  {900, 1},   {2, 3},     {7, 5},     {31, 33},    {128, 128},
                           {129, 127}, {128, 99}, {500, 333}, {333, 500}, {1500, 64}, {1021, 999}, {2600, 1200}};

// Where the processor lacks the instructions, the best kernels that it has are compared.
void ExpectThePortableBits(const ResampleKernels* kernels) {
  const ResampleKernels& other = kernels != nullptr ? *kernels : BestKernels();
  for (const Size& size : kSizes) {
    const Rgb8 image = Noise(size.width, size.height);
    for (const Filter filter : kFilters) {
      for (const std::uint32_t side : {8U, 37U, 128U}) {
        EXPECT_EQ(ResizeAndCrop(image, side, filter, other).pixels,
                  ResizeAndCrop(image, side, filter, kPortableKernels).pixels)
            << size.width << "x" << size.height << " to " << side << " " << Name(filter);
      }
    }
  }
}

TEST(Resample, Avx2GivesThePortableBits) { ExpectThePortableBits(Avx2Kernels()); }
TEST(Resample, Avx512GivesThePortableBits) { ExpectThePortableBits(Avx512Kernels()); }

// The rows of a part of an image, and the bytes that may be read behind them.
std::vector<std::uint8_t> Cut(const Rgb8& image, const Region& where) {
  std::vector<std::uint8_t> part(std::size_t{3} * where.width * where.height + kReadBeyond);
  for (std::uint32_t y = 0; y < where.height; ++y) {
    std::memcpy(&part[std::size_t{3} * where.width * y],
                &image.pixels[std::size_t{3} * (std::size_t{image.width} * (where.y + y) + where.x)],
                std::size_t{3} * where.width);
  }
  return part;
}

TEST(Resample, TheNeededPartGivesTheBitsOfTheWhole) {
  for (const Size& size : kSizes) {
    const Rgb8 image = Noise(size.width, size.height);
    for (const Filter filter : kFilters) {
      const Region where = InputOfCrop(size.width, size.height, 64, filter);
      ASSERT_LE(where.x + where.width, size.width);
      ASSERT_LE(where.y + where.height, size.height);
      const std::vector<std::uint8_t> part = Cut(image, where);
      for (const std::uint32_t at_a_time : {1U, 5U, where.height}) {
        RowResizer resizer(where, size.width, size.height, 64, filter);
        for (std::uint32_t y = 0; y < where.height; y += at_a_time) {
          resizer.Take(&part[std::size_t{3} * where.width * y], std::size_t{3} * where.width,
                       std::min(at_a_time, where.height - y));
        }
        EXPECT_EQ(resizer.Finish().pixels, ResizeAndCrop(image, 64, filter).pixels)
            << size.width << "x" << size.height << " " << Name(filter) << ", rows at a time: " << at_a_time;
      }
    }
  }
}

TEST(Resample, OneColourStaysThatColour) {
  Rgb8 image(301, 77);
  std::fill(image.pixels.begin(), image.pixels.end(), std::uint8_t{201});
  for (const Filter filter : kFilters) {
    const Rgb8 out = ResizeAndCrop(image, 32, filter);
    EXPECT_TRUE(std::all_of(out.pixels.begin(), out.pixels.end(), [](std::uint8_t v) { return v == 201; }));
  }
}

}  // namespace
}  // namespace gan::preprocess
