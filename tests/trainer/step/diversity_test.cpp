#include "trainer/step/diversity.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

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

TEST(NearestNeighbourDistance, OfManyPicturesIsThatOfAllPairsAtOnce) {
  torch::manual_seed(3);
  const torch::Tensor images = torch::rand({301, 3, 8, 8}, torch::kDouble);  // blocks that do not divide the rows
  const torch::Tensor rows = images.permute({0, 2, 3, 1}).flatten(1);
  torch::Tensor all = (rows.unsqueeze(1) - rows.unsqueeze(0)).square().mean(2).sqrt();
  all.fill_diagonal_(10);
  EXPECT_NEAR(Distance(images), std::get<0>(all.min(1)).mean().item<double>(), 1e-14);
}

// All pairs at once would be 3.2 GB of numbers here, twice.
TEST(NearestNeighbourDistance, TakesLittleMemoryForALargeBatch) {
  const auto peak = [] {
    rusage usage = {};
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_maxrss / 1024;  // MiB
  };
  const torch::Tensor images = torch::rand({1448, 3, 8, 8});
  const long before = peak();
  EXPECT_GT(Distance(images), 0);
  EXPECT_LT(peak() - before, 200);
}

// On a GPU the result is joined with numbers on that device. The meta device stands in for a GPU here, because a tensor
// on the CPU cannot be mistaken for one on it.
TEST(NearestNeighbourDistance, OfOnePictureIsOnItsDevice) {
  EXPECT_TRUE(NearestNeighbourDistance(torch::zeros({1, 3, 64, 64}, torch::kMeta)).is_meta());
}

TEST(NearestNeighbourDistance, OfOnePictureIsNotThere) { EXPECT_LT(Distance(torch::zeros({1, 3, 64, 64})), 0); }

}  // namespace
}  // namespace gan::step
