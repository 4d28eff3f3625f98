#pragma once

#include <torch/nn/modules/container/sequential.h>

#include <cstdint>
#include <vector>

namespace gan::model {

// The cost of one forward of a network for one image.
struct ForwardCost {
  std::uint64_t parameters = 0;
  double flops =
      0;  // of the convolutions, counting a multiplication and an addition as two; other layers are negligible
  std::uint64_t activations = 0;  // number of values that the backward needs: the outputs of all layers
};

// Runs one forward of zeros with shape [1, C, H, W] and counts. Leaves the network in evaluation mode.
ForwardCost CostOf(torch::nn::Sequential network, const std::vector<std::int64_t>& input_shape);

}  // namespace gan::model
