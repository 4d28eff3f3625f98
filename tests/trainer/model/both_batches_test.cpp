#include <gtest/gtest.h>
#include <torch/nn/modules/container/sequential.h>
#include <torch/utils.h>

#include <vector>

#include "trainer/model/classes.h"
#include "trainer/model/networks.h"
#include "trainer/model/state.h"

namespace gan::model {
namespace {

constexpr double kRounding = 1e-11;  // of sums of this length in another order

// Batches of different sizes, with unlike brightness, so that statistics of both together would differ from those of
// each.
struct Two {
  torch::Tensor first = torch::rand({6, 3, 64, 64}, torch::kDouble) * 0.2 - 0.9;
  torch::Tensor second = torch::rand({4, 3, 64, 64}, torch::kDouble) * 0.2 + 0.7;
};

struct Outcome {
  torch::Tensor first, second;  // logits
  std::vector<torch::Tensor> gradients, statistics;
};

torch::nn::Sequential MakeD(const NetworkOptions& options) {
  torch::nn::Sequential network = MakeDiscriminator(options);
  InitialiseWeights(*network, /*seed=*/3, /*network=*/1);
  network->to(torch::kDouble);
  return network;
}

Outcome After(torch::nn::Sequential& network, const std::pair<torch::Tensor, torch::Tensor>& logits) {
  (torch::softplus(-logits.first).mean() + torch::softplus(logits.second).mean()).backward();
  Outcome outcome = {logits.first.detach(), logits.second.detach(), {}, {}};
  for (const torch::Tensor& parameter : network->parameters()) outcome.gradients.push_back(parameter.grad());
  for (const torch::Tensor& buffer : network->buffers()) outcome.statistics.push_back(buffer);
  return outcome;
}

void ExpectEqual(const std::vector<torch::Tensor>& ones, const std::vector<torch::Tensor>& others) {
  ASSERT_EQ(ones.size(), others.size());
  for (std::size_t i = 0; i < ones.size(); ++i) {
    EXPECT_TRUE(torch::allclose(ones[i], others[i], kRounding, kRounding)) << "tensor " << i;
  }
}

void ExpectAsOneByOne(const NetworkOptions& options, const torch::Tensor& first_classes,
                      const torch::Tensor& second_classes) {
  torch::manual_seed(5);
  const Two images;
  torch::nn::Sequential at_once = MakeD(options), one_by_one = MakeD(options);
  const Outcome both =
      After(at_once, DiscriminateBoth(at_once, {images.first, first_classes}, {images.second, second_classes}));
  const torch::Tensor first = Discriminate(one_by_one, images.first, first_classes);
  const torch::Tensor second = Discriminate(one_by_one, images.second, second_classes);
  const Outcome each = After(one_by_one, {first, second});
  ExpectEqual({both.first, both.second}, {each.first, each.second});
  ExpectEqual(both.gradients, each.gradients);
  ExpectEqual(both.statistics, each.statistics);
}

TEST(BothBatches, AreJudgedAsOneByOne) {
  for (const Norm norm : {Norm::kBatch, Norm::kLayer, Norm::kInstance, Norm::kNone}) {
    SCOPED_TRACE(static_cast<int>(norm));
    ExpectAsOneByOne({.resolution = 64, .features = 4, .d_norm = norm}, {}, {});
  }
}

TEST(BothBatches, KeepTheirClasses) {
  const torch::Tensor first = OneHot({0, 1, 2, 0, 1, 2}, 3).to(torch::kDouble);
  const torch::Tensor second = OneHot({2, 2, 1, 0}, 3).to(torch::kDouble);
  ExpectAsOneByOne({.resolution = 64, .features = 4, .classes = 3}, first, second);
}

// Statistics of both batches together would make all the difference.
TEST(BothBatches, HaveStatisticsOfTheirOwn) {
  const Two images;
  const NetworkOptions options = {.resolution = 64, .features = 4};
  torch::nn::Sequential at_once = MakeD(options), together = MakeD(options);
  const auto [first, second] = DiscriminateBoth(at_once, {images.first, {}}, {images.second, {}});
  const torch::Tensor joined = Discriminate(together, torch::cat({images.first, images.second}));
  EXPECT_FALSE(torch::allclose(torch::cat({first, second}), joined, 1e-3, 1e-3));
}

}  // namespace
}  // namespace gan::model
