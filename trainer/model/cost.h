#pragma once

#include <torch/torch.h>

#include <cstdint>
#include <vector>

namespace gan::model {

// What one forward of a network takes for one image.
struct ForwardCost {
  std::uint64_t parameters = 0;
  double flops = 0;  // of convolutions, a multiplication and an addition each; the rest is noise beside them
  std::uint64_t activations = 0;  // values that backward needs: the outputs of all layers
};

// Counts while it forwards one input of zeros of shape [1, C, H, W]; leaves the network in evaluation mode.
ForwardCost CostOf(torch::nn::Sequential network, const std::vector<std::int64_t>& input_shape);

}  // namespace gan::model
