// An update made of several micro_batches: the gradient of the large batch, each image and its statistics counted once.
#include <gtest/gtest.h>

#include <map>
#include <stdexcept>
#include <string>

#include "tests/trainer/step/tiny_gan.h"

namespace gan::step {
namespace {

constexpr int kPasses = 3;

std::vector<torch::Tensor> Gradients(const torch::nn::Sequential& network) {
  std::vector<torch::Tensor> gradients;
  for (const torch::Tensor& parameter : network->parameters()) gradients.push_back(parameter.grad().clone());
  return gradients;
}

void ExpectClose(const std::vector<torch::Tensor>& a, const std::vector<torch::Tensor>& b, double tolerance) {
  for (std::size_t i = 0; i < a.size(); ++i) {
    EXPECT_LE((a[i] - b[i]).norm().item<double>(), tolerance * b[i].norm().item<double>()) << i;
  }
}

StepResult Step(Gan& gan, std::uint32_t micro_batches, const std::vector<Batch>& batches) {
  StepPlan plan;
  plan.micro_batches = micro_batches;
  std::size_t next = 0;
  return TrainStep(gan, plan, {}, [&] { return batches.at(next++); });
}

TEST(Accumulation, EqualsTheLargeBatchWhereNoNormMixesSamples) {
  const int rank = distributed::TestWorld().rank;
  std::vector<Batch> parts;
  std::vector<torch::Tensor> reals, latents;
  for (int i = 0; i < kPasses; ++i) {
    parts.push_back(BatchOf(10 * rank + i));
    reals.push_back(parts.back().real);
    latents.push_back(parts.back().latents);
  }
  Gan in_parts = TinyGan();
  Gan at_once = TinyGan();
  for (Gan* gan : {&in_parts, &at_once}) {
    gan->generator->eval();  // batch norm on running statistics
    gan->discriminator->eval();
  }
  const StepResult split = Step(in_parts, kPasses, parts);
  const StepResult joined = Step(at_once, 1, {{torch::cat(reals), torch::cat(latents)}});
  ExpectClose(Gradients(in_parts.discriminator), Gradients(at_once.discriminator), 1e-5);
  ExpectClose(Gradients(in_parts.generator), Gradients(at_once.generator), 1e-5);
  EXPECT_NEAR(split.loss_d_real, joined.loss_d_real, 1e-6);
  EXPECT_NEAR(split.loss_d_fake, joined.loss_d_fake, 1e-6);
  EXPECT_NEAR(split.loss_g, joined.loss_g, 1e-6);
  EXPECT_TRUE(torch::allclose(split.real_logits, joined.real_logits, 1e-5, 1e-6));
}

TEST(Accumulation, RunningStatisticsSeeEachFakeOnceAndAreTheMeanOfThePasses) {
  Gan gan = TinyGan();
  Step(gan, kPasses, {BatchOf(0), BatchOf(1), BatchOf(2)});
  const auto buffers = gan.generator->named_buffers();
  EXPECT_EQ(buffers["1.num_batches_tracked"].item<std::int64_t>(), 2 * kPasses);  // a count, not a statistic
  torch::Tensor mean = torch::zeros_like(buffers["1.running_mean"]);
  for (int i = 0; i < kPasses; ++i) {
    torch::NoGradGuard no_grad;
    Gan once = TinyGan();
    once.generator->forward(BatchOf(i).latents);
    mean += once.generator->named_buffers()["1.running_mean"] / kPasses;
  }
  EXPECT_TRUE(torch::allclose(buffers["1.running_mean"], mean, 1e-6, 1e-8));
}

// The state of a training in fp64, with R1 behind batch norm, after four steps of four micro-batches, over all ranks.
std::map<std::string, torch::Tensor> Trained(Gan& gan, std::uint32_t d_phases) {
  constexpr std::uint32_t kMicroBatches = 4;
  const auto ranks = static_cast<std::uint32_t>(gan.communicator->size());
  StepPlan plan;
  plan.micro_batches = kMicroBatches / ranks;
  plan.discriminator_phases = d_phases;
  plan.loss.r1 = 0.1;
  for (std::uint32_t step = 0; step < 4; ++step) {
    std::uint32_t taken = 0;  // by this rank: the rounds of D's phases come one after the other
    TrainStep(gan, plan, {}, [&] {
      const std::uint32_t round = taken / plan.micro_batches, mine = taken % plan.micro_batches;
      ++taken;
      const std::uint32_t of_round = static_cast<std::uint32_t>(gan.communicator->rank()) * plan.micro_batches + mine;
      return BatchOf(static_cast<int>((step * d_phases + round) * kMicroBatches + of_round), 4, torch::kDouble);
    });
  }
  std::map<std::string, torch::Tensor> state;
  for (const auto& [name, tensor] : gan.NamedState()) {
    if (tensor.is_floating_point() && !name.starts_with("generator_ema")) state[name] = tensor;
  }
  return state;
}

TEST(Accumulation, PassesOnOneRankLeaveWhatRanksLeave) {
  GanOptions options = TinyOptions();
  options.precision = Precision::kFp64;
  for (const std::uint32_t d_phases : {1U, 2U}) {
    Gan over_ranks = TinyGan(options);
    Gan alone(options, torch::kCPU, /*seed=*/1, distributed::Communicator::Create({}, "alone"));
    const auto expected = Trained(alone, d_phases);
    std::size_t statistics = 0;
    for (const auto& [name, tensor] : Trained(over_ranks, d_phases)) {
      const torch::Tensor& one = expected.at(name);
      const double difference = (tensor - one).abs().max().item<double>();
      EXPECT_LE(difference, 1e-12 * std::max(1.0, one.abs().max().item<double>())) << name << ", D phases " << d_phases;
      statistics += name.find("running_") != std::string::npos ? 1 : 0;
    }
    EXPECT_GT(statistics, 4U);
  }
}

// The state after an error is of no use, but the error must arrive: work that fails in a destructor ends the process
// instead.
TEST(TrainStep, AnErrorOfTheBatchesArrivesEvenIfStatisticsCannotBePutBack) {
  Gan gan = TinyGan();
  const BatchSource fails = [&]() -> Batch {
    gan.statistics[0].resize_({0});
    throw std::runtime_error("no more batches");
  };
  EXPECT_THROW(TrainStep(gan, {}, {}, fails), std::runtime_error);
}

TEST(Clipping, ShortensALongGradientAndLeavesAShortOne) {
  GanOptions options = TinyOptions();
  options.clip_norm = 1e-3;
  Gan clipped = TinyGan(options);
  const StepResult result = Step(clipped, 1, {BatchOf(0)});
  ASSERT_GT(result.discriminator->gradient_norm, options.clip_norm);
  double squares = 0;
  for (const torch::Tensor& gradient : Gradients(clipped.discriminator)) {
    squares += gradient.square().sum().item<double>();
  }
  EXPECT_NEAR(std::sqrt(squares), options.clip_norm, 1e-8);

  options.clip_norm = 1e6;
  Gan loose = TinyGan(options);
  Gan plain = TinyGan();
  Step(loose, 1, {BatchOf(0)});
  Step(plain, 1, {BatchOf(0)});
  EXPECT_TRUE(torch::equal(loose.generator->parameters()[0], plain.generator->parameters()[0]));
}

}  // namespace
}  // namespace gan::step
