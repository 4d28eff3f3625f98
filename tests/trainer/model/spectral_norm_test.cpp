#include "trainer/model/spectral_norm.h"

#include <gtest/gtest.h>

#include "trainer/model/networks.h"

namespace gan::model {
namespace {

double LargestSingularValue(const torch::Tensor& weight) {
  return torch::linalg_svdvals(weight.flatten(1)).max().item<double>();
}

TEST(SpectralNorm, TheWeightThatIsUsedHasNormOne) {
  torch::manual_seed(1);
  SpectralConv2d layer(torch::nn::Conv2dOptions(3, 8, 4).stride(2).padding(1).bias(false));
  for (int i = 0; i < 10; ++i) layer->Converge();
  layer->eval();
  const torch::Tensor images = torch::randn({2, 3, 16, 16});
  const torch::Tensor expected =
      torch::conv2d(images, layer->weight / LargestSingularValue(layer->weight), {}, {2, 2}, {1, 1});
  EXPECT_TRUE(torch::allclose(layer->forward(images), expected, 1e-4, 1e-5));
}

TEST(SpectralNorm, EvaluationLeavesTheVectorsAlone) {
  SpectralConv2d layer(torch::nn::Conv2dOptions(3, 8, 4).bias(false));
  const torch::Tensor before = layer->named_buffers()["u"].clone();
  layer->eval();
  layer->forward(torch::randn({2, 3, 16, 16}));
  EXPECT_TRUE(torch::equal(before, layer->named_buffers()["u"]));
  layer->train();
  layer->forward(torch::randn({2, 3, 16, 16}));
  EXPECT_FALSE(torch::equal(before, layer->named_buffers()["u"]));
}

TEST(SpectralNorm, TwoForwardsBeforeOneBackwardWork) {
  SpectralConv2d layer(torch::nn::Conv2dOptions(3, 8, 4).bias(false));
  const torch::Tensor a = layer->forward(torch::randn({2, 3, 16, 16}));
  const torch::Tensor b = layer->forward(torch::randn({2, 3, 16, 16}));
  EXPECT_NO_THROW((a.sum() + b.sum()).backward());
}

}  // namespace
}  // namespace gan::model
