#include <gtest/gtest.h>

#include "trainer/quality/density_coverage.h"
#include "trainer/quality/distances.h"
#include "trainer/quality/ms_ssim.h"
#include "trainer/quality/sliced_wasserstein.h"
#include "trainer/quality/sort_floats.h"

namespace gan::quality {
namespace {

torch::Tensor Normal(std::int64_t rows, std::int64_t columns, int seed) {
  torch::manual_seed(seed);
  return torch::randn({rows, columns}, torch::kDouble);
}

TEST(Distances, AShiftOfEqualSetsIsItsSquare) {
  const torch::Tensor a = Normal(200, 8, 1);
  EXPECT_NEAR(FrechetDistance(a, a), 0, 1e-8);
  EXPECT_NEAR(FrechetDistance(a, a + 2), 8 * 4.0, 1e-8);
}

TEST(Distances, FrechetOfScaledSetsFollowsTheFormula) {
  const torch::Tensor a = Normal(300, 1, 1);
  const double deviation = a.std().item<double>(), mean = a.mean().item<double>();
  EXPECT_NEAR(FrechetDistance(a, 3 * a), 4 * mean * mean + 4 * deviation * deviation, 1e-8);
}

TEST(Distances, ANanGivesNan) {
  torch::Tensor a = Normal(20, 4, 1);
  a[0][0] = std::numeric_limits<double>::quiet_NaN();
  EXPECT_TRUE(std::isnan(FrechetDistance(a, Normal(20, 4, 2))));
}

TEST(Distances, KernelDistanceIsNearZeroOnlyForOneKind) {
  EXPECT_LT(std::abs(KernelDistance(Normal(400, 4, 1), Normal(400, 4, 2))), 0.05);
  EXPECT_GT(KernelDistance(Normal(400, 4, 1), Normal(400, 4, 2) + 1), 0.5);
}

TEST(DensityCoverage, EqualSetsCoverEverything) {
  const torch::Tensor a = Normal(100, 4, 1);
  const DensityCoverage same = MeasureDensityCoverage(a, a);
  EXPECT_EQ(same.coverage, 1);
  EXPECT_NEAR(same.density, 1, 0.01);
  const DensityCoverage far = MeasureDensityCoverage(a, a + 100);
  EXPECT_EQ(far.coverage, 0);
  EXPECT_EQ(far.density, 0);
}

TEST(DensityCoverage, OneModeOfTwoCoversHalf) {
  torch::Tensor real = Normal(100, 2, 1);
  real.narrow(0, 50, 50) += 1000;
  const DensityCoverage half = MeasureDensityCoverage(real, real.narrow(0, 0, 50));
  EXPECT_EQ(half.coverage, 0.5);
}

TEST(MsSsim, EqualImagesGiveOne) {
  torch::manual_seed(1);
  const torch::Tensor images = torch::rand({2, 3, 128, 128}) * 2 - 1;
  EXPECT_NEAR(MsSsim(images, images).min().item<double>(), 1, 1e-12);
  EXPECT_LT(MsSsim(images, -images).max().item<double>(), 0.5);
}

TEST(MsSsim, SmallImagesGetFewerScales) {
  torch::manual_seed(1);
  const torch::Tensor images = torch::rand({2, 3, 64, 64}) * 2 - 1;
  EXPECT_NEAR(MsSsim(images, images).min().item<double>(), 1, 1e-12);
}

TEST(SortFloats, GivesWhatTorchGives) {
  torch::manual_seed(1);
  std::vector<std::uint32_t> scratch;
  for (const std::int64_t count : {0, 1, 2, 7, 384, 5000}) {
    torch::Tensor values = torch::randn({count}) * torch::exp(20 * torch::randn({count}));
    if (count > 7) values.narrow(0, 3, 4).copy_(torch::tensor({0.0F, INFINITY, -INFINITY, 1e-40F}));
    const torch::Tensor expected = std::get<0>(values.sort());
    SortFloats({values.data_ptr<float>(), static_cast<std::size_t>(count)}, scratch);
    EXPECT_TRUE(torch::equal(values, expected)) << count;
  }
}

TEST(SlicedWasserstein, EqualSetsAreAtZeroAndNoiseIsNot) {
  torch::manual_seed(1);
  const torch::Tensor smooth = torch::upsample_bilinear2d(torch::randn({8, 3, 4, 4}), {64, 64}, false);
  const auto a = LaplacianPatches(smooth, 1, 0);
  ASSERT_EQ(a.size(), 3U);  // 64, 32, 16
  const auto sorted = SortedProjections(a, 1);
  EXPECT_EQ(SlicedWasserstein(sorted, a, 1), 0);
  EXPECT_GT(SlicedWasserstein(sorted, LaplacianPatches(torch::randn({8, 3, 64, 64}), 1, 0), 1), 0.05);
}

// A generator that has collapsed to one colour is far from every photo, and its distance is still a number.
TEST(SlicedWasserstein, ImagesOfOneColourAreFarAway) {
  torch::manual_seed(1);
  const torch::Tensor smooth = torch::upsample_bilinear2d(torch::randn({8, 3, 4, 4}), {64, 64}, false);
  const auto sorted = SortedProjections(LaplacianPatches(smooth, 1, 0), 1);
  for (const double colour : {-1.0, 0.0, 0.5}) {
    const auto constant = LaplacianPatches(torch::full({8, 3, 64, 64}, colour), 1, 0);
    const double distance = SlicedWasserstein(sorted, constant, 1);
    EXPECT_GT(distance, 0.3) << colour;
    EXPECT_LT(distance, 2) << colour;
  }
}

TEST(SlicedWasserstein, PatchesFollowTheImagesNumberWhateverTheBatch) {
  const torch::Tensor all = PatchCorners(1, 0, 6, 32);
  EXPECT_TRUE(torch::equal(all.narrow(0, 4, 2), PatchCorners(1, 4, 2, 32)));
  EXPECT_GE(all.min().item<std::int64_t>(), 0);
  EXPECT_LE(all.max().item<std::int64_t>(), 32 - kPatchSide);
}

}  // namespace
}  // namespace gan::quality
