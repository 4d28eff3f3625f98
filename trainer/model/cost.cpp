#include "trainer/model/cost.h"

#include <torch/nn/modules/conv.h>

namespace gan::model {

namespace nn = torch::nn;

namespace {

// Every output value of a convolution, and every input value of a transposed one, is multiplied with one kernel.
double ConvolutionFlops(nn::Module& layer, const torch::Tensor& input, const torch::Tensor& output) {
  if (const auto* convolution = layer.as<nn::Conv2d>()) {
    return 2.0 * static_cast<double>(output.numel()) * static_cast<double>(convolution->weight[0].numel());
  }
  if (const auto* transposed = layer.as<nn::ConvTranspose2d>()) {
    return 2.0 * static_cast<double>(input.numel()) * static_cast<double>(transposed->weight[0].numel());
  }
  return 0;
}

}  // namespace

// The network is run once, so that its layers report their own shapes.
ForwardCost CostOf(nn::Sequential network, const std::vector<std::int64_t>& input_shape) {
  torch::NoGradGuard no_grad;
  network->eval();  // keeps the statistics unchanged
  ForwardCost cost;
  for (const torch::Tensor& parameter : network->parameters()) {
    cost.parameters += static_cast<std::uint64_t>(parameter.numel());
  }
  torch::Tensor value = torch::zeros(input_shape);
  for (nn::AnyModule& layer : *network) {
    const torch::Tensor input = value;
    value = layer.forward(input);
    cost.flops += ConvolutionFlops(*layer.ptr(), input, value);
    // An in-place activation needs no memory of its own.
    if (!value.is_alias_of(input)) cost.activations += static_cast<std::uint64_t>(value.numel());
  }
  return cost;
}

}  // namespace gan::model
