// An update made of several passes: the gradient of the large batch, each image and its statistics counted once.
#include <gtest/gtest.h>

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

StepResult Step(Gan& gan, std::uint32_t passes, const std::vector<Batch>& batches) {
  StepPlan plan;
  plan.micro_batches = passes;
  std::size_t next = 0;
  return TrainStep(gan, plan, [&] { return batches.at(next++); });
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

TEST(Accumulation, RunningStatisticsSeeEachFakeOnce) {
  Gan gan = TinyGan();
  Step(gan, kPasses, {BatchOf(0), BatchOf(1), BatchOf(2)});
  const auto buffers = gan.generator->named_buffers();
  EXPECT_EQ(buffers["1.num_batches_tracked"].item<std::int64_t>(), 2 * kPasses);  // a count, not a statistic
  Gan once = TinyGan();
  {
    torch::NoGradGuard no_grad;
    for (int i = 0; i < kPasses; ++i) once.generator->forward(BatchOf(i).latents);
  }
  EXPECT_TRUE(torch::equal(buffers["1.running_mean"], once.generator->named_buffers()["1.running_mean"]));
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
