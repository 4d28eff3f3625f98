#include "trainer/distributed/gradient_sync.h"

#include <gtest/gtest.h>
#include <malloc.h>
#include <torch/autograd.h>
#include <torch/nn/modules/container/sequential.h>
#include <torch/utils.h>

#include <cmath>
#include <limits>

#include "tests/trainer/distributed/mpi_world.h"
#include "trainer/distributed/replicas.h"
#include "trainer/loss/adversarial.h"
#include "trainer/step/train_step.h"

namespace gan::distributed {
namespace {

step::Batch BatchOf(int rank, int step) {
  torch::manual_seed(1000 * step + rank);
  return {torch::rand({4, 3, 64, 64}) * 2 - 1, torch::randn({4, 16, 1, 1})};
}

constexpr model::NetworkOptions kTiny{.resolution = 64, .features = 2, .noise_dim = 16};

step::GanOptions TinyGan() {
  step::GanOptions options;
  options.network = kTiny;
  return options;
}

// The gradient of this loss is the rank's number plus one, everywhere.
torch::Tensor LossOfRank(const torch::Tensor& parameter, const Communicator& communicator) {
  return (parameter * (communicator.rank() + 1)).sum();
}

class BothPaths : public testing::TestWithParam<SyncPath> {
 protected:
  GradientSync Sync(const std::vector<torch::Tensor>& parameters, const std::shared_ptr<Communicator>& communicator) {
    return {parameters, communicator, {.path = GetParam()}};
  }
};
INSTANTIATE_TEST_SUITE_P(GradientSync, BothPaths, testing::Values(SyncPath::kFlat, SyncPath::kBucketed));

TEST_P(BothPaths, BackwardAveragesOverTheRanks) {
  const auto communicator = Communicator::Create(TestWorld(), "gradients");
  const double mean = (communicator->size() + 1) / 2.0;
  const torch::Tensor parameter = torch::zeros({2, 3}, torch::requires_grad());
  GradientSync sync = Sync({parameter}, communicator);
  const SyncResult result = sync.Backward(LossOfRank(parameter, *communicator));
  EXPECT_TRUE(torch::allclose(parameter.grad(), torch::full({2, 3}, mean)));
  EXPECT_NEAR(result.gradient_norm(), mean * std::sqrt(6.0), 1e-6);
  EXPECT_TRUE(result.finite());
}

TEST_P(BothPaths, AccumulatedGradientsAreAveragedWithTheLast) {
  const auto communicator = Communicator::Create(TestWorld(), "gradients");
  const double mean = (communicator->size() + 1) / 2.0;
  const torch::Tensor parameter = torch::zeros({2, 3}, torch::requires_grad());
  GradientSync sync = Sync({parameter}, communicator);
  for (int step = 0; step < 2; ++step) {  // twice: nothing is left over from the first
    parameter.mutable_grad().reset();
    sync.Accumulate(LossOfRank(parameter, *communicator));
    sync.Accumulate(LossOfRank(parameter, *communicator));
    const std::uint64_t before = communicator->traffic().collectives;
    sync.Backward(LossOfRank(parameter, *communicator));
    EXPECT_EQ(communicator->traffic().collectives - before, communicator->size() == 1 ? 0U : 1U);
    EXPECT_TRUE(torch::allclose(parameter.grad(), torch::full({2, 3}, 3 * mean)));
  }
}

TEST_P(BothPaths, ANanOnOneRankIsSeenByAll) {
  const auto communicator = Communicator::Create(TestWorld(), "gradients");
  const bool last = communicator->rank() == communicator->size() - 1;
  const torch::Tensor parameter = torch::zeros({2, 3}, torch::requires_grad());
  GradientSync sync = Sync({parameter}, communicator);
  const double factor = last ? std::numeric_limits<double>::quiet_NaN() : 1.0;
  EXPECT_FALSE(sync.Backward((parameter * factor).sum()).finite());
}

// c10d::Reducer notes parameters for a rebuilding of its buckets until it has rebuilt them.
TEST(GradientSync, BucketsTakeNoMoreMemoryWithEveryBackward) {
  std::vector<torch::Tensor> parameters;
  for (int i = 0; i < 32; ++i) parameters.push_back(torch::ones({2}, torch::requires_grad()));
  GradientSync sync(parameters, Communicator::Create(TestWorld(), "gradients"), {.path = SyncPath::kBucketed});
  const auto backwards = [&](int count) {
    for (int i = 0; i < count; ++i) {
      for (torch::Tensor& parameter : parameters) parameter.mutable_grad().reset();
      sync.Backward(torch::cat(parameters).sum());
    }
    return static_cast<std::int64_t>(::mallinfo2().uordblks);
  };
  const std::int64_t before = backwards(200);
  // Bytes; they were 16 and more per parameter and backward, 1,024,000 in all. MPI's own buffers may grow by some.
  EXPECT_LT(backwards(2000) - before, 500'000);
}

TEST(GradientSync, AParameterThatBackwardDoesNotReachIsAnError) {
  const torch::Tensor reached = torch::zeros({2}, torch::requires_grad());
  const torch::Tensor missed = torch::zeros({2}, torch::requires_grad());
  GradientSync sync({reached, missed}, Communicator::Create(TestWorld(), "gradients"), {.path = SyncPath::kFlat});
  EXPECT_THROW(sync.Backward(reached.sum()), CommunicationError);
}

// The traps of c10d::Reducer under GANs: two forwards of one module, a frozen module passed through, second
// derivatives.
struct GanGradients {
  std::vector<torch::Tensor> discriminator, generator;
};

GanGradients GradientsOfAGanStep(SyncPath path) {
  const auto communicator = Communicator::Create(TestWorld(), "gradients");
  torch::nn::Sequential g = model::MakeGenerator(kTiny);
  torch::nn::Sequential d = model::MakeDiscriminator(kTiny);
  model::InitialiseWeights(*g, 1, 0);
  model::InitialiseWeights(*d, 1, 1);
  GradientSync g_sync(g->parameters(), communicator, {.path = path, .bucket_bytes = 4096});
  GradientSync d_sync(d->parameters(), communicator, {.path = path, .bucket_bytes = 4096});
  GanGradients gradients;
  for (int step = 0; step < 2; ++step) {
    for (auto& p : g->parameters()) p.mutable_grad().reset();
    for (auto& p : d->parameters()) p.mutable_grad().reset();
    const step::Batch batch = BatchOf(communicator->rank(), step);
    const torch::Tensor fake = g->forward(batch.latents);
    const torch::Tensor real = batch.real.detach().requires_grad_(true);
    const torch::Tensor real_logits = model::Discriminate(d, real);
    const torch::Tensor penalty =
        torch::autograd::grad({real_logits.sum()}, {real}, {}, /*retain_graph=*/true, /*create_graph=*/true)[0]
            .square()
            .sum();
    d_sync.Backward(loss::kBceLoss.discriminator(real_logits, model::Discriminate(d, fake.detach()), {}).Total() +
                    penalty);
    model::SetRequiresGrad(*d, false);
    g_sync.Backward(loss::kBceLoss.generator(model::Discriminate(d, fake), {}));
    model::SetRequiresGrad(*d, true);
  }
  for (auto& p : d->parameters()) gradients.discriminator.push_back(p.grad().clone());
  for (auto& p : g->parameters()) gradients.generator.push_back(p.grad().clone());
  return gradients;
}

void ExpectClose(const std::vector<torch::Tensor>& a, const std::vector<torch::Tensor>& b) {
  ASSERT_EQ(a.size(), b.size());
  for (std::size_t i = 0; i < a.size(); ++i) {
    EXPECT_LE((a[i] - b[i]).norm().item<double>(), 1e-6 * a[i].norm().item<double>()) << i;
  }
}

TEST(GradientSync, FlatAndBucketedAgreeOnAGanStepWithPenalty) {
  const GanGradients flat = GradientsOfAGanStep(SyncPath::kFlat);
  const GanGradients bucketed = GradientsOfAGanStep(SyncPath::kBucketed);
  ExpectClose(flat.discriminator, bucketed.discriminator);
  ExpectClose(flat.generator, bucketed.generator);
}

// The requirement: weights, statistics and moments bit-equal across ranks after 100 steps on different data.
TEST(TrainStep, ReplicasStayBitEqualForAHundredSteps) {
  const auto communicator = Communicator::Create(TestWorld(), "gradients");
  step::Gan gan(TinyGan(), torch::kCPU, /*seed=*/1, communicator);
  for (int i = 0; i < 100; ++i) {
    step::TrainStep(gan, {}, {}, [&] { return BatchOf(communicator->rank(), i); });
  }
  std::vector<torch::Tensor> tensors;
  for (auto& [name, tensor] : gan.NamedState()) tensors.push_back(tensor);
  EXPECT_NO_THROW(RequireEqualReplicas(tensors, *communicator, "state"));
}

// c10d is really used: what passes through the backend in one step, by size.
TEST(TrainStep, AStepMakesThreeAllReducesOfKnownSizes) {
  const auto communicator = Communicator::Create(TestWorld(), "gradients");
  step::Gan gan(TinyGan(), torch::kCPU, /*seed=*/1, communicator);
  step::TrainStep(gan, {}, {}, [&] { return BatchOf(communicator->rank(), 0); });
  const auto bytes = [](const std::vector<torch::Tensor>& tensors) {
    std::int64_t sum = 0;
    for (const torch::Tensor& t : tensors) sum += 4 * t.numel();
    return "allreduce/" + std::to_string(sum);
  };
  const TrafficCounters traffic = communicator->traffic();
  if (communicator->size() == 1) {
    EXPECT_EQ(traffic.collectives, 0U);  // alone there is nothing to exchange
    return;
  }
  EXPECT_EQ(traffic.collectives, 3U);
  EXPECT_EQ(traffic.calls.at(bytes(gan.discriminator->parameters())), 1U);
  EXPECT_EQ(traffic.calls.at(bytes(gan.generator->parameters())), 1U);
  EXPECT_EQ(traffic.calls.at(bytes(gan.statistics)), 1U);
}

// Gradients of n ranks x batch b equal those of one rank x batch n*b when no norm mixes samples.
TEST(TrainStep, RanksTogetherEqualOneRankOnTheJoinedBatch) {
  const auto communicator = Communicator::Create(TestWorld(), "gradients");
  torch::nn::Sequential discriminator = model::MakeDiscriminator(kTiny);
  model::InitialiseWeights(*discriminator, 1, 1);
  discriminator->eval();  // batch norm on running statistics
  const auto loss_of = [&](const torch::Tensor& real) {
    return loss::kBceLoss
        .discriminator(model::Discriminate(discriminator, real), model::Discriminate(discriminator, -real), {})
        .Total();
  };
  std::vector<torch::Tensor> batches;
  for (int rank = 0; rank < communicator->size(); ++rank) batches.push_back(BatchOf(rank, 0).real);
  loss_of(torch::cat(batches)).backward();
  std::vector<torch::Tensor> joined;
  for (const torch::Tensor& p : discriminator->parameters()) joined.push_back(p.grad().clone());

  for (torch::Tensor& p : discriminator->parameters()) p.mutable_grad().reset();
  GradientSync sync(discriminator->parameters(), communicator);
  sync.Backward(loss_of(batches[static_cast<std::size_t>(communicator->rank())]));
  for (std::size_t i = 0; i < joined.size(); ++i) {
    const torch::Tensor shared = discriminator->parameters()[i].grad();
    EXPECT_LE((shared - joined[i]).norm().item<double>(), 1e-5 * joined[i].norm().item<double>());
  }
}

TEST(TrainStep, ANonFiniteStepChangesNoWeight) {
  const auto communicator = Communicator::Create(TestWorld(), "gradients");
  step::Gan gan(TinyGan(), torch::kCPU, /*seed=*/1, communicator);
  std::vector<torch::Tensor> before;
  for (auto& [name, tensor] : gan.NamedState()) before.push_back(tensor.clone());
  step::Batch batch = BatchOf(communicator->rank(), 0);
  if (communicator->rank() == 0) batch.real[0][0][0][0] = std::numeric_limits<float>::infinity();
  const step::StepResult result = step::TrainStep(gan, {}, {}, [&] { return batch; });
  EXPECT_FALSE(result.discriminator->applied);
  std::size_t i = 0;
  for (auto& [name, tensor] : gan.NamedState()) {
    const bool of_discriminator = name.starts_with("discriminator");
    if (of_discriminator && tensor.is_floating_point()) {
      EXPECT_TRUE(torch::equal(tensor, before[i])) << name;
    }
    ++i;
  }
}

TEST(TrainStep, GeneratorsPhaseLeavesNoGradientInTheDiscriminator) {
  const auto communicator = Communicator::Create(TestWorld(), "gradients");
  step::Gan gan(TinyGan(), torch::kCPU, /*seed=*/1, communicator);
  step::StepPlan watch_only;
  watch_only.discriminator_phases = 0;
  const torch::Tensor before = gan.discriminator->parameters()[0].clone();
  const step::StepResult result =
      step::TrainStep(gan, watch_only, {}, [&] { return BatchOf(communicator->rank(), 0); });
  EXPECT_FALSE(result.discriminator.has_value());
  EXPECT_TRUE(result.generator->applied);
  EXPECT_TRUE(torch::equal(before, gan.discriminator->parameters()[0]));
  for (const torch::Tensor& p : gan.discriminator->parameters()) {
    EXPECT_FALSE(p.grad().defined());
    EXPECT_TRUE(p.requires_grad());
  }
}

}  // namespace
}  // namespace gan::distributed
