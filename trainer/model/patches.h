// Extracts the patches under the 4x4 kernels of DCGAN's convolutions (stride 2, padding 1) as rows of a matrix, so that
// the convolution is one matrix product (Chellapilla et al., "High performance convolutional neural networks for
// document processing", 2006). For channels-last maps (NHWC), in which a patch consists of four contiguous runs.
// Without autograd, which strided.h adds.
#pragma once

#include <torch/types.h>

namespace gan::model {

// NHWC [N, 2s, 2s, C] -> [N*s*s, 16*C]. Each row is ordered by kernel row, kernel column and channel, with 0 outside of
// the map. float or double, on the CPU.
torch::Tensor Patches(const torch::Tensor& map);

// The transpose: adds each row to the pixels that it was taken from. [N*s*s, 16*C] -> [N, 2s, 2s, C].
torch::Tensor SumOfPatches(const torch::Tensor& rows, std::int64_t count, std::int64_t side);

// The three operations of strided.h as one product of all patches. NCHW; fastest in channels-last order.
torch::Tensor PatchesDown(const torch::Tensor& large, const torch::Tensor& weight);
torch::Tensor PatchesUp(const torch::Tensor& small, const torch::Tensor& weight);
torch::Tensor PatchesWeight(const torch::Tensor& large, const torch::Tensor& small);

}  // namespace gan::model
