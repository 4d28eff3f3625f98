// The three operations of strided.h by Winograd's algorithm (winograd_tiles.h), with 9 products instead of 16. On
// LibTorch's threads; without autograd, which strided.h adds. Every number is computed in one fixed order, whatever the
// number of threads.
#pragma once

#include <torch/torch.h>

namespace gan::model {

// Whether it is faster so for a large map of `large` channels and a small one [images, small, side, side] of this type,
// from measurements on AVX2: there are enough pixels for the transforms of the weight.
bool WinogradPays(torch::ScalarType type, std::int64_t images, std::int64_t large, std::int64_t small,
                  std::int64_t side);
// The same for the gradient of the weight.
bool WinogradWeightPays(torch::ScalarType type, std::int64_t images, std::int64_t large, std::int64_t small,
                        std::int64_t side);

// Maps NCHW in channels-last order, of shapes for which WinogradFits. As StridedDown, StridedUp and StridedWeight.
torch::Tensor WinogradDown(const torch::Tensor& large, const torch::Tensor& weight);
torch::Tensor WinogradUp(const torch::Tensor& small, const torch::Tensor& weight);
torch::Tensor WinogradWeight(const torch::Tensor& large, const torch::Tensor& small);

// Multiples of 16 channels on either side, an even side, float on the CPU.
bool WinogradFits(torch::ScalarType type, std::int64_t large, std::int64_t small, std::int64_t side);

}  // namespace gan::model
