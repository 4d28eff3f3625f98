// DCGAN's convolution (4x4 kernel, stride 2, padding 1, no bias) between a map of 2s x 2s and one of s x s pixels, both
// channels-last and on the CPU: downwards, upwards, and the gradient of the weight. Each function is linear in both
// arguments, and the derivatives of each are the other two. So all three are differentiable any number of times, and
// G's layers use the same functions as D's.
//
// Each is computed by the fastest of three implementations, selected by its shape: oneDNN's convolution, one matrix
// product of all patches, or Winograd's algorithm.
#pragma once

#include <torch/types.h>

namespace gan::model {

// large [N, C, 2s, 2s], weight [K, C, 4, 4] -> [N, K, s, s]: nn::Conv2d.
torch::Tensor StridedDown(const torch::Tensor& large, const torch::Tensor& weight);
// small [N, K, s, s], weight [K, C, 4, 4] -> [N, C, 2s, 2s]: nn::ConvTranspose2d.
torch::Tensor StridedUp(const torch::Tensor& small, const torch::Tensor& weight);
// large [N, C, 2s, 2s], small [N, K, s, s] -> [K, C, 4, 4].
torch::Tensor StridedWeight(const torch::Tensor& large, const torch::Tensor& small);

}  // namespace gan::model
