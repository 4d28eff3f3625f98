#include "generate/engine/winograd.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <tbb/task_arena.h>

#include <algorithm>
#include <cmath>

#include "generate/engine/convolution.h"
#include "tests/generate/definition.h"

namespace gan::generate {
namespace {

struct Shape {
  std::size_t in, out, side;
};

// Every arrangement of a block's tiles, and borders between blocks; channels that are no multiple of a vector; a group
// that is full, one that is not, and several.
constexpr Shape kShapes[] = {{1, 1, 8}, {5, 7, 8}, {33, 30, 8}, {7, 17, 16}, {3, 16, 32}, {2, 3, 64}, {1, 2, 128}};

Layer LayerOf(const Shape& shape, std::vector<float> weight) {
  return {.in = shape.in, .out = shape.out, .weight = std::move(weight), .norm = {}};
}

// [channels, pixels] -> the same picture in blocks.
std::vector<float> ToBlocks(std::span<const float> picture, std::size_t channels) {
  const std::size_t pixels = picture.size() / channels;
  std::vector<float> blocks(picture.size());
  for (std::size_t i = 0; i < picture.size(); ++i) {
    const std::size_t c = i / pixels, pixel = i % pixels;
    blocks[(pixel / 16 * channels + c) * 16 + pixel % 16] = picture[i];
  }
  return blocks;
}

// Computes one picture after the other from the definition: [N, out, 2 side, 2 side].
std::vector<double> Expected(const Layer& layer, std::span<const float> pictures, std::size_t side) {
  const std::size_t floats = layer.in * side * side;
  std::vector<double> all;
  for (std::size_t done = 0; done < pictures.size(); done += floats) {
    const auto one = pictures.subspan(done, floats);
    const std::vector<double> output = ConvolveOne(layer, {one.begin(), one.end()}, side);
    all.insert(all.end(), output.begin(), output.end());
  }
  return all;
}

std::vector<float> Convolve(const WinogradConvolution& convolution, const Shape& shape, std::span<const float> pictures,
                            const std::vector<float>& shift, Activation activation, Layout layout) {
  const std::size_t floats = shape.in * shape.side * shape.side, images = pictures.size() / floats;
  std::vector<float> input;
  for (std::size_t i = 0; i < images; ++i) {
    const std::vector<float> blocks = ToBlocks(pictures.subspan(i * floats, floats), shape.in);
    input.insert(input.end(), blocks.begin(), blocks.end());
  }
  std::vector<float> output(images * shape.out * 4 * shape.side * shape.side, -1000);
  convolution.Run(input.data(), images, shift, activation, layout, output.data());
  return output;
}

std::vector<float> WholeNumbers(std::size_t count, unsigned seed) {
  std::mt19937 generator(seed);
  std::uniform_int_distribution<int> any(-4, 4);
  std::vector<float> values(count);
  for (float& value : values) value = static_cast<float>(any(generator));
  return values;
}

// No sum of these whole numbers is rounded, so a wrong sign, pixel, phase or border cannot hide behind a tolerance.
TEST(WinogradTest, WholeNumbersComeOutExactly) {
  for (const Kernels* kernels : SupportedKernels()) {
    for (const Shape& shape : kShapes) {
      const Layer layer = LayerOf(shape, WholeNumbers(shape.in * shape.out * 16, 1));
      const WinogradConvolution convolution(layer, std::vector<float>(shape.out, 1), shape.side, *kernels);
      const std::vector<float> nothing(shape.out, 0);
      for (const std::size_t images : {1U, 3U}) {
        const auto pictures = WholeNumbers(images * shape.in * shape.side * shape.side, 2);
        const auto output = Convolve(convolution, shape, pictures, nothing, Activation::kNone, Layout::kPlain);
        const std::vector<double> expected = Expected(layer, pictures, shape.side);
        ASSERT_EQ(expected.size(), output.size());
        for (std::size_t i = 0; i < output.size(); ++i) {
          ASSERT_EQ(expected[i], double{output[i]})
              << shape.in << " to " << shape.out << " at " << shape.side << ": " << images << " images, number " << i;
        }
      }
    }
  }
}

TEST(WinogradTest, RoundingStaysThatOfSinglePrecision) {
  const Shape shape = {256, 40, 16};
  const Layer layer = LayerOf(shape, Random(shape.in * shape.out * 16, 0.05F, 1));
  const auto picture = Random(shape.in * shape.side * shape.side, 1, 2);
  const std::vector<double> expected = Expected(layer, picture, shape.side);
  double largest = 0;
  for (const double value : expected) largest = std::max(largest, std::abs(value));
  for (const Kernels* kernels : SupportedKernels()) {
    const WinogradConvolution convolution(layer, std::vector<float>(shape.out, 1), shape.side, *kernels);
    const auto output =
        Convolve(convolution, shape, picture, std::vector<float>(shape.out, 0), Activation::kNone, Layout::kPlain);
    double difference = 0;
    for (std::size_t i = 0; i < output.size(); ++i) {
      difference = std::max(difference, std::abs(expected[i] - double{output[i]}));
    }
    EXPECT_LT(difference, 3e-6 * largest);
  }
}

TEST(WinogradTest, ScaleShiftAndActivationAreThoseOfTheChannel) {
  const Shape shape = {6, 18, 8};
  Layer layer = LayerOf(shape, WholeNumbers(shape.in * shape.out * 16, 3));
  const auto picture = WholeNumbers(shape.in * shape.side * shape.side, 4);
  const std::vector<float> scale = WholeNumbers(shape.out, 5), shift = WholeNumbers(shape.out, 6);
  for (const Kernels* kernels : SupportedKernels()) {
    const WinogradConvolution convolution(layer, scale, shape.side, *kernels);
    const auto output = Convolve(convolution, shape, picture, shift, Activation::kRelu, Layout::kPlain);
    const std::vector<double> expected = Expected(layer, picture, shape.side);
    for (std::size_t i = 0; i < output.size(); ++i) {
      const std::size_t c = i / (4 * shape.side * shape.side);
      ASSERT_EQ(std::max(0.0, expected[i] * double{scale[c]} + double{shift[c]}), double{output[i]}) << i;
    }
  }
}

TEST(WinogradTest, BothLayoutsHoldTheSamePicture) {
  for (const Shape& shape : kShapes) {
    const Layer layer = LayerOf(shape, Random(shape.in * shape.out * 16, 1, 7));
    const WinogradConvolution convolution(layer, std::vector<float>(shape.out, 1), shape.side, FastestKernels());
    const auto picture = Random(shape.in * shape.side * shape.side, 1, 8);
    const std::vector<float> shift = Random(shape.out, 1, 9);
    const auto plain = Convolve(convolution, shape, picture, shift, Activation::kTanh, Layout::kPlain);
    const auto blocks = Convolve(convolution, shape, picture, shift, Activation::kTanh, Layout::kBlocks);
    EXPECT_EQ(ToBlocks(plain, shape.out), blocks);
  }
}

TEST(WinogradTest, NumbersDoNotDependOnTheBatchOrTheThreads) {
  const Shape shape = {20, 70, 16};
  const Layer layer = LayerOf(shape, Random(shape.in * shape.out * 16, 1, 10));
  const std::size_t images = 7, floats = shape.in * shape.side * shape.side;
  const auto pictures = Random(images * floats, 1, 11);
  const std::vector<float> shift = Random(shape.out, 1, 12);
  for (const Kernels* kernels : SupportedKernels()) {
    const WinogradConvolution convolution(layer, std::vector<float>(shape.out, 1), shape.side, *kernels);
    const auto together = Convolve(convolution, shape, pictures, shift, Activation::kRelu, Layout::kBlocks);
    for (const int threads : {1, 2, 5}) {
      for (std::size_t i = 0; i < images; ++i) {
        std::vector<float> one;
        tbb::task_arena(threads).execute([&] {
          one = Convolve(convolution, shape, std::span(pictures).subspan(i * floats, floats), shift, Activation::kRelu,
                         Layout::kBlocks);
        });
        ASSERT_TRUE(std::equal(one.begin(), one.end(), together.begin() + static_cast<std::ptrdiff_t>(i * one.size())))
            << threads << " threads, picture " << i;
      }
    }
  }
}

// A generator of 64 features and 128 px: the first two layers hold most of the weights, the last one makes RGB.
TEST(WinogradTest, TakesLayersWithManyPixelsAndChannels) {
  EXPECT_FALSE(WinogradConvolution::Pays(100, 1024, 1));
  EXPECT_FALSE(WinogradConvolution::Pays(1024, 512, 4));
  EXPECT_TRUE(WinogradConvolution::Pays(512, 256, 8));
  EXPECT_TRUE(WinogradConvolution::Pays(256, 128, 16));
  EXPECT_TRUE(WinogradConvolution::Pays(128, 64, 32));
  EXPECT_FALSE(WinogradConvolution::Pays(64, 3, 64));
  EXPECT_FALSE(WinogradConvolution::Pays(32, 16, 32));
  EXPECT_FALSE(WinogradConvolution::Pays(64, 34, 16)) << "14 of 48 rows would be zeros";
}

TEST(WinogradTest, ConvolutionsUseItWhereItPays) {
  const Shape shape = {40, 32, 8};
  const Layer layer = LayerOf(shape, Random(shape.in * shape.out * 16, 1, 13));
  const std::vector<float> ones(shape.out, 1);
  const auto picture = Random(shape.in * shape.side * shape.side, 1, 14);
  const auto run = [&](const auto& convolution) {
    std::vector<float> output(shape.out * 4 * shape.side * shape.side);
    convolution.Run(picture.data(), 1, ones, Activation::kNone, Layout::kBlocks, output.data());
    return output;
  };
  const auto winograd = run(WinogradConvolution(layer, ones, shape.side, FastestKernels()));
  EXPECT_EQ(winograd, run(PackedConvolution(layer, ones, shape.side)));
  EXPECT_NE(winograd, run(PackedConvolution(layer, ones, shape.side, Algorithm::kAllTaps)));
}

TEST(ConvolutionTest, AllTapsGiveTheDefinitionWithEveryKindOfKernels) {
  for (const Kernels* kernels : SupportedKernels()) {
    for (const Shape& shape : {Shape{5, 7, 4}, Shape{33, 30, 8}, Shape{3, 5, 64}}) {
      const Layer layer = LayerOf(shape, WholeNumbers(shape.in * shape.out * 16, 15));
      const auto picture = WholeNumbers(shape.in * shape.side * shape.side, 16);
      const PackedConvolution convolution(layer, std::vector<float>(shape.out, 1), shape.side, Algorithm::kAllTaps,
                                          *kernels);
      std::vector<float> output(shape.out * 4 * shape.side * shape.side);
      convolution.Run(ToBlocks(picture, shape.in).data(), 1, std::vector<float>(shape.out, 0), Activation::kNone,
                      Layout::kPlain, output.data());
      const std::vector<double> expected = Expected(layer, picture, shape.side);
      for (std::size_t i = 0; i < output.size(); ++i) ASSERT_EQ(expected[i], double{output[i]}) << i;
    }
  }
}

}  // namespace
}  // namespace gan::generate
