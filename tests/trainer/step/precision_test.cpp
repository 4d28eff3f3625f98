#include <gtest/gtest.h>

#include "tests/trainer/step/tiny_gan.h"

namespace gan::step {
namespace {

torch::Tensor JoinedGradient(const torch::nn::Sequential& network) {
  std::vector<torch::Tensor> parts;
  for (const torch::Tensor& parameter : network->parameters()) {
    parts.push_back(parameter.grad().flatten().to(torch::kDouble));
  }
  return torch::cat(parts);
}

double Cosine(const torch::Tensor& a, const torch::Tensor& b) {
  return (a.dot(b) / (a.norm() * b.norm())).item<double>();
}

// Gradients of both networks from equal state: D is not updated before G's turn.
Gan AfterOneStep(Precision precision) {
  GanOptions options = TinyOptions();
  options.network.features = 16;
  options.precision = precision;
  Gan gan = TinyGan(options);
  const torch::ScalarType type = precision == Precision::kFp64 ? torch::kDouble : torch::kFloat;
  StepPlan plan;
  TrainStep(gan, plan, {.lr_d = 0}, [&] { return BatchOf(distributed::TestWorld().rank, 16, type); });
  return gan;
}

TEST(Precision, Bfloat16PointsTheSameWayAsFloat) {
  const Gan exact = AfterOneStep(Precision::kFp32);
  const Gan rough = AfterOneStep(Precision::kBf16);
  const torch::Tensor d = JoinedGradient(exact.discriminator), d_rough = JoinedGradient(rough.discriminator);
  const torch::Tensor g = JoinedGradient(exact.generator), g_rough = JoinedGradient(rough.generator);
  // PyTorch's own autocast gives 0.965 and 0.940 for these networks at their initial weights.
  EXPECT_GE(Cosine(d, d_rough), 0.965);
  EXPECT_GE(Cosine(g, g_rough), 0.94);
  EXPECT_FALSE(torch::equal(d, d_rough)) << "bfloat16 was not used";
  for (const torch::Tensor& parameter : rough.generator->parameters())
    EXPECT_EQ(parameter.scalar_type(), torch::kFloat);
}

TEST(Precision, DoubleAgreesWithFloatUpToRounding) {
  const Gan exact = AfterOneStep(Precision::kFp64);
  const Gan usual = AfterOneStep(Precision::kFp32);
  EXPECT_GE(Cosine(JoinedGradient(exact.generator), JoinedGradient(usual.generator)), 1 - 1e-6);
  for (const auto& item : exact.generator->named_buffers()) {
    const bool counter = item.key().ends_with("num_batches_tracked");
    EXPECT_EQ(item.value().scalar_type(), counter ? torch::kLong : torch::kDouble) << item.key();
  }
}

TEST(ChannelsLast, ChangesTheLayoutAndNotTheMathematics) {
  GanOptions options = TinyOptions();
  options.network.convolutions = model::ConvolutionPath::kTorch;
  Gan contiguous = TinyGan(options);
  options.channels_last = true;
  Gan channels_last = TinyGan(options);
  for (Gan* gan : {&contiguous, &channels_last}) TrainStep(*gan, {}, {}, [] { return BatchOf(0); });
  EXPECT_TRUE(channels_last.generator->parameters()[0].is_contiguous(torch::MemoryFormat::ChannelsLast));
  EXPECT_GE(Cosine(JoinedGradient(contiguous.generator), JoinedGradient(channels_last.generator)), 1 - 1e-6);
}

}  // namespace
}  // namespace gan::step
