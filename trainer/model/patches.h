// The patches that the taps of DCGAN's convolutions (4x4, stride 2, padding 1) meet, as the rows of a matrix, so that
// the convolution is one matrix product (Chellapilla et al., "High performance convolutional neural networks for
// document processing", 2006). For maps whose channels stand next to each other in memory (NHWC): a patch is then four
// runs. No autograd here: strided.h has that.
#pragma once

#include <torch/torch.h>

namespace gan::model {

// NHWC [N, 2s, 2s, C] -> [N*s*s, 16*C], a row by tap row, tap column, channel; 0 outside of the map. float or double,
// on the CPU.
torch::Tensor Patches(const torch::Tensor& map);

// The transpose: adds each row to the places that it came from. [N*s*s, 16*C] -> [N, 2s, 2s, C].
torch::Tensor SumOfPatches(const torch::Tensor& rows, std::int64_t count, std::int64_t side);

}  // namespace gan::model
