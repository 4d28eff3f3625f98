#include "generate/engine/engine.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <tbb/task_arena.h>

#include <cmath>

#include "tests/generate/definition.h"

namespace gan::generate {
namespace {

Layer MakeLayer(std::size_t in, std::size_t out, bool norm, unsigned seed) {
  Layer layer{.in = in, .out = out, .weight = Random(in * out * 16, 0.1F, seed), .norm = {}};
  if (seed % 20 == 0) layer.bias = Random(out, 0.3F, seed + 5);  // every other layer, the last one too
  if (!norm) return layer;
  std::vector<float> variance = Random(out, 1, seed + 3);
  for (float& v : variance) v = std::abs(v) + 0.1F;
  layer.norm = BatchNorm{Random(out, 1, seed + 1), Random(out, 0.1F, seed + 2), Random(out, 0.1F, seed + 4), variance};
  return layer;
}

// A generator for 64 px whose latents have 13 numbers.
Generator GeneratorOf(const std::vector<std::size_t>& widths) {
  Generator generator;
  for (unsigned i = 0; i < 5; ++i) {
    generator.layers.push_back(MakeLayer(widths[i], widths[i + 1], i < 4, 10 * i));
  }
  return generator;
}

// None of the widths is a multiple of a tile.
Generator SmallGenerator() { return GeneratorOf({13, 40, 24, 9, 5, 3}); }

// The generator's third and fourth layers are wide enough for Winograd's algorithm.
Generator WideGenerator() { return GeneratorOf({13, 40, 48, 40, 30, 3}); }

std::vector<double> ReferencePicture(const Generator& generator, std::vector<double> values) {
  std::size_t side = 1;
  for (const Layer& layer : generator.layers) {
    values = ConvolveOne(layer, values, side);
    side = side == 1 ? 4 : 2 * side;
    for (std::size_t i = 0; i < values.size(); ++i) {
      const std::size_t c = i / (side * side);
      if (!layer.norm) {
        values[i] = std::tanh(values[i]);
        continue;
      }
      const BatchNorm& norm = *layer.norm;
      const double scale = double{norm.scale[c]} / std::sqrt(double{norm.variance[c]} + kBatchNormEpsilon);
      values[i] = std::max(0.0, (values[i] - double{norm.mean[c]}) * scale + double{norm.shift[c]});
    }
  }
  return values;
}

class EngineOfTest : public testing::TestWithParam<Generator (*)()> {};
INSTANTIATE_TEST_SUITE_P(Generators, EngineOfTest, testing::Values(SmallGenerator, WideGenerator));

TEST_P(EngineOfTest, PicturesAreThoseOfTheDefinition) {
  const Generator generator = GetParam()();
  Engine engine(generator);
  EXPECT_EQ(64, engine.side());
  const std::vector<float> latents = Random(3 * 13, 1, 99);
  const std::span<const float> pictures = engine.Run(latents);
  ASSERT_EQ(3 * 3 * 64 * 64, pictures.size());
  for (std::size_t image = 0; image < 3; ++image) {
    const auto expected =
        ReferencePicture(generator, {latents.begin() + 13 * image, latents.begin() + 13 * image + 13});
    for (std::size_t i = 0; i < expected.size(); ++i) {
      ASSERT_NEAR(expected[i], pictures[image * expected.size() + i], 2e-6) << "picture " << image << " number " << i;
    }
  }
}

TEST_P(EngineOfTest, APictureDependsOnItsLatentAloneBitForBit) {
  const Generator generator = GetParam()();
  const std::vector<float> latents = Random(35 * 13, 1, 7);
  Engine engine(generator);
  const std::span<const float> view = engine.Run(latents);
  const std::vector<float> together(view.begin(), view.end());
  const std::size_t floats = 3 * 64 * 64;
  for (const int threads : {1, 2, 3}) {
    tbb::task_arena arena(threads);
    for (const std::size_t batch : {1U, 7U, 32U}) {
      for (std::size_t done = 0; done < 35; done += batch) {
        const std::size_t now = std::min<std::size_t>(batch, 35 - done);
        arena.execute([&] {
          const auto part = engine.Run(std::span(latents).subspan(done * 13, now * 13));
          ASSERT_TRUE(std::equal(part.begin(), part.end(), together.begin() + done * floats))
              << "threads " << threads << " batch " << batch << " picture " << done;
        });
      }
    }
  }
}

TEST(EngineTest, LargeLogitsSaturateInsteadOfOverflowing) {
  Generator generator = SmallGenerator();
  for (float& weight : generator.layers.back().weight) weight *= 1e6F;
  Engine engine(generator);
  const std::vector<float> latents = Random(13, 1, 5);
  for (const float value : engine.Run(latents)) ASSERT_LE(std::abs(value), 1.0F);
}

TEST(StatisticsTest, MeasuredOnesWhitenEveryBatch) {
  Generator generator = SmallGenerator();
  const std::vector<float> latents = Random(64 * 13, 1, 3);
  ReestimateStatistics(generator, latents, 64);
  // Layer 0 of one batch: mean and unbiased variance of the plain convolution.
  double sum = 0, squares = 0;
  for (std::size_t i = 0; i < 64; ++i) {
    const auto output = ConvolveOne(generator.layers[0], {latents.begin() + 13 * i, latents.begin() + 13 * i + 13}, 1);
    for (std::size_t p = 0; p < 16; ++p) sum += output[p], squares += output[p] * output[p];
  }
  const double count = 64 * 16, mean = sum / count;
  EXPECT_NEAR(mean, double{generator.layers[0].norm->mean[0]}, 1e-6);
  EXPECT_NEAR((squares / count - mean * mean) * count / (count - 1), double{generator.layers[0].norm->variance[0]},
              1e-5);
}

}  // namespace
}  // namespace gan::generate
