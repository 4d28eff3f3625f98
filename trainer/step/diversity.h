#pragma once

#include <torch/torch.h>

namespace gan::step {

// Mean Euclidean distance, per value, of each picture of [N, 3, R, R] to its nearest neighbour among the others, on
// pictures averaged down to 8x8: one double, on the pictures' device. Copies and near copies, the sign of a collapse,
// pull it to 0. Negative for N < 2.
torch::Tensor NearestNeighbourDistance(const torch::Tensor& images);
// Between each two rows of [N, K], as it is computed on GPUs: without a tensor of N x N x K numbers, which at N = 256
// takes a twentieth of a step there. [N, N]; copies may be a rounding error apart.
torch::Tensor SquaredDistancesByProduct(const torch::Tensor& rows);

}  // namespace gan::step
