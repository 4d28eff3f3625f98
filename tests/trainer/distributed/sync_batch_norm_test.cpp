// n ranks with b images each against one batch norm over n*b images: PyTorch's own, in double.
#include "trainer/distributed/sync_batch_norm.h"

#include <gtest/gtest.h>
#include <torch/autograd.h>
#include <torch/nn.h>

#include "tests/trainer/distributed/mpi_world.h"

namespace gan::distributed {
namespace {

constexpr std::int64_t kImages = 3;
constexpr std::int64_t kChannels = 4;

torch::Tensor AllImages(int ranks) {
  torch::manual_seed(3);
  return torch::randn({kImages * ranks, kChannels, 5, 5}, torch::kDouble) * 3 + 7;
}

torch::nn::BatchNorm2d SameNorm() {
  torch::manual_seed(4);
  torch::nn::BatchNorm2d norm(kChannels);
  norm->to(torch::kDouble);
  torch::nn::init::uniform_(norm->weight, 0.5, 2);
  torch::nn::init::uniform_(norm->bias, -1, 1);
  return norm;
}

// A loss that mixes everything, and the norm of its gradient to the input, as a gradient penalty has it.
struct Result {
  torch::Tensor output, input_gradient, weight_gradient, penalty_gradient;
};

template <typename Norm>
Result Differentiate(Norm& norm, const torch::Tensor& images, const torch::Tensor& weights,
                     const auto& sum_over_ranks) {
  const torch::Tensor input = images.clone().requires_grad_(true);
  Result result;
  result.output = norm->forward(input);
  const torch::Tensor loss = (result.output.pow(3) * weights).sum();
  const auto gradients = torch::autograd::grad({loss}, {input, norm->weight}, {}, true, true);
  result.input_gradient = gradients[0].detach();
  result.weight_gradient = gradients[1].detach();
  const torch::Tensor penalty = sum_over_ranks(gradients[0].square().sum());
  result.penalty_gradient = torch::autograd::grad({penalty}, {input})[0];
  return result;
}

void ExpectClose(const torch::Tensor& ours, const torch::Tensor& theirs) {
  EXPECT_LE((ours - theirs).abs().max().item<double>(), 1e-10 * std::max(1.0, theirs.abs().max().item<double>()));
}

TEST(SyncBatchNorm, EqualsOneLargeBatchForwardBackwardAndTwice) {
  const auto communicator = Communicator::Create(TestWorld(), "batch norm");
  const int ranks = communicator->size();
  const torch::Tensor images = AllImages(ranks);
  torch::manual_seed(5);
  const torch::Tensor weights = torch::randn(images.sizes(), torch::kDouble);
  torch::nn::BatchNorm2d plain = SameNorm();
  const Result joined = Differentiate(plain, images, weights, [](const torch::Tensor& t) { return t; });

  const auto mine = [&](const torch::Tensor& t) { return t.narrow(0, communicator->rank() * kImages, kImages); };
  SyncBatchNorm2d synchronised(*SameNorm(), communicator);
  // Each rank's penalty is its own part of the sum; the graph reaches the others through the collective's backward.
  const Result shared =
      Differentiate(synchronised, mine(images), mine(weights), [](const torch::Tensor& t) { return t; });
  ExpectClose(shared.output, mine(joined.output));
  ExpectClose(shared.input_gradient, mine(joined.input_gradient));
  ExpectClose(shared.penalty_gradient, mine(joined.penalty_gradient));
  torch::Tensor weight_gradient = shared.weight_gradient.clone();
  communicator->AllReduce(weight_gradient);
  ExpectClose(weight_gradient, joined.weight_gradient);
  ExpectClose(synchronised->running_mean, plain->running_mean);
  ExpectClose(synchronised->running_var, plain->running_var);
  EXPECT_EQ(synchronised->num_batches_tracked.item<std::int64_t>(), 1);
}

TEST(SyncBatchNorm, StartsFromTheValuesOfTheLayersItReplaces) {
  const auto communicator = Communicator::Create(TestWorld(), "batch norm");
  torch::nn::Sequential layers(torch::nn::Conv2d(3, kChannels, 1), torch::nn::BatchNorm2d(kChannels),
                               torch::nn::ReLU());
  torch::nn::Sequential synchronised = WithSyncBatchNorm(layers, communicator);
  const auto before = layers->named_parameters();
  const auto after = synchronised->named_parameters();
  ASSERT_EQ(before.keys(), after.keys());
  for (const auto& item : before) EXPECT_TRUE(torch::equal(after[item.key()], item.value())) << item.key();
  for (const auto& item : layers->named_buffers()) {
    EXPECT_TRUE(torch::equal(synchronised->named_buffers()[item.key()], item.value())) << item.key();
  }
  EXPECT_NE(synchronised->modules(false)[1]->as<SyncBatchNorm2d>(), nullptr);
}

// On a GPU, reading a value would wait for all queued work. A tensor on the meta device has no value that could be
// read.
TEST(SyncBatchNorm, DoesNotAskForTheCounterThatItsMomentumDoesNotNeed) {
  SyncBatchNorm2d norm(*SameNorm(), Communicator::Create(TestWorld(), "batch norm"));
  norm->num_batches_tracked = torch::zeros({}, torch::dtype(torch::kLong).device(torch::kMeta));
  EXPECT_NO_THROW(norm->forward(AllImages(1)));
}

TEST(SyncBatchNorm, EvaluationIsLocal) {
  const auto communicator = Communicator::Create(TestWorld(), "batch norm");
  SyncBatchNorm2d norm(*SameNorm(), communicator);
  norm->eval();
  const torch::Tensor images = AllImages(1);
  torch::nn::BatchNorm2d plain = SameNorm();
  plain->eval();
  ExpectClose(norm->forward(images), plain->forward(images));
  EXPECT_EQ(communicator->traffic().collectives, 0U);
}

}  // namespace
}  // namespace gan::distributed
