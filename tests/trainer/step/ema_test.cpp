#include "trainer/step/ema.h"

#include <gtest/gtest.h>
#include <torch/nn.h>

#include <cmath>

#include "tests/trainer/step/tiny_gan.h"

namespace gan::step {
namespace {

torch::nn::Linear LinearFilledWith(double value) {
  torch::nn::Linear layer(2, 1);
  torch::NoGradGuard no_grad;
  layer->weight.fill_(value);
  layer->bias.fill_(value);
  return layer;
}

double Average(const Ema& ema) { return ema.NamedState("").front().second.flatten()[0].item<double>(); }

TEST(Ema, ForgetsHalfAfterItsHalfLife) {
  Ema ema(*LinearFilledWith(0), 1000);
  ema.Update(*LinearFilledWith(1), /*images_of_step=*/1000, /*images_of_run=*/1'000'000);
  EXPECT_NEAR(Average(ema), 0.5, 1e-6);
  ema.Update(*LinearFilledWith(1), 2000, 1'000'000);
  EXPECT_NEAR(Average(ema), 1 - 0.125, 1e-6);
}

TEST(Ema, IsTheSameWhateverTheImagesOfAStep) {
  Ema coarse(*LinearFilledWith(0), 1000), fine(*LinearFilledWith(0), 1000);
  coarse.Update(*LinearFilledWith(1), 64, 1'000'000);
  for (int i = 0; i < 8; ++i) fine.Update(*LinearFilledWith(1), 8, 1'000'000);
  EXPECT_NEAR(Average(coarse), Average(fine), 1e-6);
}

TEST(Ema, FollowsQuicklyWhileTheRunIsYoung) {
  Ema ema(*LinearFilledWith(0), 10'000);
  ema.Update(*LinearFilledWith(1), /*images_of_step=*/5, /*images_of_run=*/100);  // half-life is 5 images now
  EXPECT_NEAR(Average(ema), 0.5, 1e-6);
}

TEST(Ema, WithoutAHalfLifeKeepsNothing) {
  Ema ema(*LinearFilledWith(0), 0);
  ema.Update(*LinearFilledWith(1), 5, 100);
  EXPECT_TRUE(ema.NamedState("").empty());
}

TEST(ReestimateStatistics, AreThePlainMeanOverAllBatches) {
  Gan gan = TinyGan();
  const torch::Tensor latents = BatchOf(0, 12).latents;
  ReestimateStatistics(gan.generator, latents, 4);
  torch::NoGradGuard no_grad;
  torch::Tensor mean = torch::zeros({32});
  torch::Tensor variance = torch::zeros({32});
  auto first = gan.generator->modules(false)[0]->as<torch::nn::ConvTranspose2d>();
  for (const torch::Tensor& part : latents.split(4)) {
    const auto [v, m] = torch::var_mean(first->forward(part), {0, 2, 3}, /*unbiased=*/true);
    mean += m / 3;
    variance += v / 3;
  }
  const auto buffers = gan.generator->named_buffers();
  EXPECT_TRUE(torch::allclose(buffers["1.running_mean"], mean, 1e-5, 1e-6));
  EXPECT_TRUE(torch::allclose(buffers["1.running_var"], variance, 1e-5, 1e-6));
  EXPECT_FALSE(gan.generator->is_training());
  const auto* norm = gan.generator->modules(false)[1]->as<torch::nn::BatchNorm2d>();
  EXPECT_DOUBLE_EQ(norm->options.momentum().value(), 0.1);  // put back
}

}  // namespace
}  // namespace gan::step
