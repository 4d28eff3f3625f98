#include "trainer/step/adam.h"

#include <gtest/gtest.h>
#include <torch/utils.h>

#include <cmath>

namespace gan::step {
namespace {

constexpr double kRate = 0.01;

// Two updates of a weight [2, 3, 4, 4] with these memory orders, in NCHW order afterwards.
torch::Tensor Updated(torch::MemoryFormat order_of_weight, torch::MemoryFormat order_of_gradient) {
  torch::manual_seed(1);
  torch::Tensor weight = torch::randn({2, 3, 4, 4}).contiguous(order_of_weight).requires_grad_();
  const torch::Tensor gradient = torch::randn({2, 3, 4, 4});
  torch::OrderedDict<std::string, torch::Tensor> parameters;
  parameters.insert("weight", weight);
  Adam adam(parameters, {.beta1 = 0.5, .beta2 = 0.999, .epsilon = 1e-8});
  for (const double factor : {1.0, -0.3}) {
    weight.mutable_grad() = (gradient * factor).contiguous(order_of_gradient);
    adam.Step(torch::full({}, kRate, torch::kDouble));
  }
  return weight.detach().contiguous();
}

// By the formulas of the paper, element by element.
torch::Tensor Expected() {
  torch::manual_seed(1);
  const torch::Tensor weight = torch::randn({2, 3, 4, 4}).to(torch::kDouble);
  const torch::Tensor gradient = torch::randn({2, 3, 4, 4}).to(torch::kDouble);
  torch::Tensor first = torch::zeros_like(weight), second = torch::zeros_like(weight), result = weight.clone();
  int step = 0;
  for (const double factor : {1.0, -0.3}) {
    const torch::Tensor now = gradient * factor;
    first = 0.5 * first + 0.5 * now;
    second = 0.999 * second + 0.001 * now * now;
    ++step;
    const torch::Tensor mean = first / (1 - std::pow(0.5, step)), square = second / (1 - std::pow(0.999, step));
    result = result - kRate * mean / (square.sqrt() + 1e-8);
  }
  return result.to(torch::kFloat);
}

// PyTorch's own fused kernel gives wrong updates where the two orders differ.
TEST(Adam, UpdatesEachNumberWithItsOwnGradientInAnyMemoryOrder) {
  constexpr auto kNchw = torch::MemoryFormat::Contiguous, kNhwc = torch::MemoryFormat::ChannelsLast;
  for (const auto weight : {kNchw, kNhwc}) {
    for (const auto gradient : {kNchw, kNhwc}) {
      SCOPED_TRACE(::testing::Message() << weight << " and " << gradient);
      EXPECT_TRUE(torch::allclose(Updated(weight, gradient), Expected(), 1e-5, 1e-6));
    }
  }
}

}  // namespace
}  // namespace gan::step
