#include "trainer/step/diversity.h"

#include <gtest/gtest.h>

namespace gan::step {
namespace {

double Distance(const torch::Tensor& images) { return NearestNeighbourDistance(images).item<double>(); }

TEST(NearestNeighbourDistance, IsTheMeanOverTheNearest) {
  const torch::Tensor shades = torch::tensor({-1.0, 0.0, 0.5}).view({3, 1, 1, 1}).expand({3, 3, 64, 64});
  EXPECT_NEAR(Distance(shades), (1 + 0.5 + 0.5) / 3, 1e-6);
  EXPECT_NEAR(Distance(shades.contiguous(torch::MemoryFormat::ChannelsLast)), (1 + 0.5 + 0.5) / 3, 1e-6);
}

TEST(NearestNeighbourDistance, OfOneChannelCountsAThird) {
  torch::Tensor images = torch::zeros({2, 3, 128, 128});
  images[1][2] = 0.6;
  EXPECT_NEAR(Distance(images), 0.6 / std::sqrt(3.0), 1e-6);
}

TEST(SquaredDistancesByProduct, AreTheDistances) {
  torch::manual_seed(2);
  const torch::Tensor rows = torch::rand({40, 192}, torch::kDouble) * 2 - 1;
  const torch::Tensor exact = (rows.unsqueeze(1) - rows.unsqueeze(0)).square().sum(2);
  EXPECT_TRUE(torch::allclose(SquaredDistancesByProduct(rows), exact, 1e-12, 1e-12));
  const torch::Tensor copies = rows.slice(0, 0, 1).expand({40, 192}) + 5;
  EXPECT_LT(SquaredDistancesByProduct(copies).max().item<double>(), 1e-12);
}

TEST(NearestNeighbourDistance, CopiesHaveNone) {
  torch::manual_seed(1);
  const torch::Tensor image = torch::rand({1, 3, 64, 64});
  EXPECT_EQ(Distance(torch::cat({image, image})), 0);
  EXPECT_GT(Distance(torch::rand({2, 3, 64, 64})), 0.01);
}

TEST(NearestNeighbourDistance, OfOnePictureIsNotThere) { EXPECT_LT(Distance(torch::zeros({1, 3, 64, 64})), 0); }

}  // namespace
}  // namespace gan::step
