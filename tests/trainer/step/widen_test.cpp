// Net2Wider inside a run: the function stays, the copies diverge, all ranks and a checkpoint agree.
#include <gtest/gtest.h>

#include "storage/errors.h"
#include "tests/trainer/step/tiny_gan.h"
#include "trainer/distributed/replicas.h"

namespace gan::step {
namespace {

constexpr std::uint64_t kSeed = 7;

GanOptions WithNorm(model::Norm norm) {
  GanOptions options = TinyOptions();
  options.network.d_norm = norm;
  return options;
}

void Train(Gan& gan, int first, int steps) {
  for (int i = first; i < first + steps; ++i) {
    TrainStep(gan, {}, {}, [&] { return BatchOf(100 * i + distributed::TestWorld().rank); });
  }
}

class EveryNorm : public testing::TestWithParam<model::Norm> {};
INSTANTIATE_TEST_SUITE_P(Widen, EveryNorm,
                         testing::Values(model::Norm::kBatch, model::Norm::kLayer, model::Norm::kInstance,
                                         model::Norm::kNone));

TEST_P(EveryNorm, TheFunctionIsTheSameBeforeAndAfter) {
  Gan gan = TinyGan(WithNorm(GetParam()));
  Train(gan, 0, 3);
  const torch::Tensor images = BatchOf(1).real;
  for (const bool training : {false, true}) {
    torch::NoGradGuard no_grad;
    gan.discriminator->train(training);
    const std::int64_t width = gan.options.network.d_width;
    const torch::Tensor before = Logits(gan, images);
    WidenDiscriminator(gan, 2 * width, kSeed);
    gan.discriminator->train(training);
    EXPECT_LE(Difference(Logits(gan, images), before), 1e-5);
  }
  EXPECT_EQ(gan.options.network.d_width, 4);
  EXPECT_EQ(gan.discriminator->parameters()[0].size(0), 4 * 4);  // four times 2f at 32 px
}

TEST(Widen, TheCopiesDifferAfterTenSteps) {
  Gan gan = TinyGan();
  Train(gan, 0, 3);
  WidenDiscriminator(gan, 2, kSeed);
  const torch::Tensor weight = gan.discriminator->named_parameters()["2.weight"];
  const std::int64_t half = weight.size(0) / 2;
  ASSERT_EQ(Difference(weight.narrow(0, 0, half), weight.narrow(0, half, half)), 0);
  Train(gan, 3, 10);
  const torch::Tensor apart = (weight.narrow(0, 0, half) - weight.narrow(0, half, half)).flatten(1).abs();
  EXPECT_GT(std::get<0>(apart.max(1)).min().item<double>(), 1e-5);  // each channel from its copy
}

TEST(Widen, RanksStayBitEqual) {
  Gan gan = TinyGan();
  Train(gan, 0, 2);
  WidenDiscriminator(gan, 3, kSeed);
  Train(gan, 2, 3);
  std::vector<torch::Tensor> tensors;
  for (auto& [name, tensor] : gan.NamedState()) tensors.push_back(tensor);
  EXPECT_NO_THROW(distributed::RequireEqualReplicas(tensors, *gan.communicator, "state"));
}

TEST(Widen, AWidenedRunContinuesBitExactFromItsState) {
  Gan first = TinyGan();
  Train(first, 0, 2);
  WidenDiscriminator(first, 2, kSeed);
  Train(first, 2, 2);
  GanOptions wide = TinyOptions();
  wide.network.d_width = 2;
  Gan second = TinyGan(wide);
  const model::NamedTensors from = first.NamedState();
  const model::NamedTensors to = second.NamedState();
  ASSERT_EQ(from.size(), to.size());
  {
    torch::NoGradGuard no_grad;
    for (std::size_t i = 0; i < from.size(); ++i) torch::Tensor(to[i].second).copy_(from[i].second);
  }
  Train(first, 4, 3);
  Train(second, 4, 3);
  for (std::size_t i = 0; i < from.size(); ++i) EXPECT_TRUE(torch::equal(from[i].second, to[i].second)) << to[i].first;
}

TEST(Widen, ANarrowerOneAndSpectralNormAreRefused) {
  Gan gan = TinyGan();
  WidenDiscriminator(gan, 2, kSeed);
  EXPECT_THROW(WidenDiscriminator(gan, 3, kSeed), UsageError);
  GanOptions spectral = TinyOptions();
  spectral.network.spectral_norm = true;
  Gan normalised = TinyGan(spectral);
  EXPECT_THROW(WidenDiscriminator(normalised, 2, kSeed), UsageError);
}

TEST(Restart, DIsANewNetworkAndGIsUntouched) {
  Gan gan = TinyGan(), fresh = TinyGan();
  const BatchSource source = [] { return BatchOf(1); };
  for (int i = 0; i < 3; ++i) TrainStep(gan, {}, {}, source);
  const torch::Tensor generator = gan.generator->parameters().front().clone();
  RestartDiscriminator(gan, /*seed=*/1);
  EXPECT_TRUE(torch::equal(gan.generator->parameters().front(), generator));
  const auto now = model::NamedState(*gan.discriminator, ""), then = model::NamedState(*fresh.discriminator, "");
  for (std::size_t i = 0; i < now.size(); ++i) {
    if (now[i].first.ends_with("num_batches_tracked")) continue;
    EXPECT_TRUE(torch::equal(now[i].second, then[i].second)) << now[i].first;
  }
  for (const auto& [name, tensor] : gan.discriminator_optimizer.NamedState(""))
    EXPECT_EQ(tensor.abs().sum().item<double>(), 0);
  TrainStep(gan, {}, {}, source);
}

}  // namespace
}  // namespace gan::step
