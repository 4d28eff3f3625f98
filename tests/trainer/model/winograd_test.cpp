#include "trainer/model/winograd.h"

#include <gtest/gtest.h>
#include <torch/utils.h>

#include <vector>

#include "trainer/model/processor.h"
#include "trainer/model/winograd_tiles.h"

namespace gan::model {
namespace {

struct Sizes {
  std::int64_t images, large, small, side;
};

// One tile and many, blocks that are full and not, rows of products that are a multiple of six and not.
constexpr Sizes kSizes[] = {{1, 16, 16, 2}, {1, 16, 48, 6}, {3, 32, 16, 4}, {1, 48, 16, 26}, {5, 16, 32, 10}};

struct Operands {
  torch::Tensor large, small, weight;

  template <typename Make>
  Operands(const Sizes& sizes, const Make& make)
      : large(make({sizes.images, sizes.large, 2 * sizes.side, 2 * sizes.side})),
        small(make({sizes.images, sizes.small, sizes.side, sizes.side})),
        weight(make({sizes.small, sizes.large, 4, 4})) {}

  std::vector<torch::Tensor> ByWinograd() const {
    return {WinogradDown(large, weight), WinogradUp(small, weight), WinogradWeight(large, small)};
  }
  // LibTorch's in double precision.
  std::vector<torch::Tensor> Expected() const {
    const torch::Tensor x = large.to(torch::kDouble), y = small.to(torch::kDouble), w = weight.to(torch::kDouble);
    const auto gradients = torch::convolution_backward(y, x, w, c10::nullopt, {2, 2}, {1, 1}, {1, 1}, false, {0, 0}, 1,
                                                       {false, true, false});
    return {torch::conv2d(x, w, {}, 2, 1), torch::conv_transpose2d(y, w, {}, 2, 1), std::get<1>(gradients)};
  }
};

torch::Tensor WholeNumbers(at::IntArrayRef shape) { return torch::randint(-4, 5, shape, torch::kFloat); }

// No sum of these whole numbers is rounded, so a wrong sign, pixel, phase or border cannot hide behind a tolerance.
TEST(Winograd, WholeNumbersComeOutExactly) {
#ifdef __x86_64__
  ASSERT_TRUE(__builtin_cpu_supports("avx2")) << "a processor without AVX2 cannot run this";
#endif
  torch::manual_seed(1);
  for (const Sizes& sizes : kSizes) {
    const Operands operands(sizes, WholeNumbers);
    const auto expected = operands.Expected(), found = operands.ByWinograd();
    for (std::size_t i = 0; i < expected.size(); ++i) {
      EXPECT_TRUE(torch::equal(expected[i], found[i].to(torch::kDouble)))
          << "operation " << i << " of " << sizes.large << " to " << sizes.small << " at " << sizes.side;
    }
  }
}

TEST(Winograd, RoundingStaysThatOfSinglePrecision) {
  torch::manual_seed(2);
  const Operands operands({2, 256, 128, 8}, [](at::IntArrayRef shape) { return torch::randn(shape); });
  const auto expected = operands.Expected(), found = operands.ByWinograd();
  for (std::size_t i = 0; i < expected.size(); ++i) {
    EXPECT_LT((expected[i] - found[i]).abs().max().item<double>(), 3e-6 * expected[i].abs().max().item<double>()) << i;
  }
}

TEST(Winograd, AnyNumberOfThreadsGivesTheSameBits) {
  torch::manual_seed(3);
  const Operands operands({3, 32, 48, 16}, [](at::IntArrayRef shape) { return torch::randn(shape); });
  const int before = torch::get_num_threads();
  torch::set_num_threads(1);
  const auto alone = operands.ByWinograd();
  for (const int threads : {2, 3}) {
    torch::set_num_threads(threads);
    const auto together = operands.ByWinograd();
    for (std::size_t i = 0; i < alone.size(); ++i) EXPECT_TRUE(torch::equal(alone[i], together[i])) << i;
  }
  torch::set_num_threads(before);
}

TEST(Winograd, PaysForManyPixelsAndChannelsInSinglePrecision) {
  const bool here = HasAvx2Alone();
  EXPECT_EQ(here, WinogradPays(torch::kFloat, 8, 64, 128, 32));
  EXPECT_EQ(here, WinogradPays(torch::kFloat, 8, 256, 512, 8));
  EXPECT_EQ(here, WinogradWeightPays(torch::kFloat, 8, 128, 256, 16));
  EXPECT_EQ(here, WinogradPays(torch::kFloat, 16, 128, 256, 4));
  EXPECT_EQ(here, WinogradWeightPays(torch::kFloat, 8, 256, 512, 8));
  EXPECT_EQ(here, WinogradWeightPays(torch::kFloat, 16, 128, 256, 2));
  EXPECT_FALSE(WinogradWeightPays(torch::kFloat, 16, 256, 512, 4));
  EXPECT_FALSE(WinogradPays(torch::kDouble, 8, 64, 128, 32));
  EXPECT_FALSE(WinogradPays(torch::kFloat, 8, 512, 1024, 4));
  EXPECT_FALSE(WinogradPays(torch::kFloat, 8, 3, 64, 64));
}

}  // namespace
}  // namespace gan::model
