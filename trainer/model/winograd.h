// The three operations of strided.h by Winograd's algorithm (winograd_tiles.h), with 9 products instead of 16. On
// LibTorch's threads; without autograd, which strided.h adds. Every number is computed in one fixed order, whatever the
// number of threads.
#pragma once

#include <torch/types.h>

namespace gan::model {

// Whether this algorithm is faster for a large map of `large` channels and a small one [images, small, side, side] of
// this type, according to measurements on AVX2: there must be enough pixels for the transforms of the weight to pay.
bool WinogradPays(torch::ScalarType type, std::int64_t images, std::int64_t large, std::int64_t small,
                  std::int64_t side);
// Whether the algorithm is faster for the gradient of the weight.
bool WinogradWeightPays(torch::ScalarType type, std::int64_t images, std::int64_t large, std::int64_t small,
                        std::int64_t side);

// The functions of strided.h for maps NCHW in channels-last order, of shapes for which WinogradFits() is true.
torch::Tensor WinogradDown(const torch::Tensor& large, const torch::Tensor& weight);
torch::Tensor WinogradUp(const torch::Tensor& small, const torch::Tensor& weight);
torch::Tensor WinogradWeight(const torch::Tensor& large, const torch::Tensor& small);

// Whether both numbers of channels are multiples of 16, the side is even, and the type is float on the CPU.
bool WinogradFits(torch::ScalarType type, std::int64_t large, std::int64_t small, std::int64_t side);

}  // namespace gan::model
