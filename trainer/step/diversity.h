#pragma once

#include <torch/types.h>

namespace gan::step {

// The mean Euclidean distance per value between each image of [N, 3, R, R] and its nearest neighbour in the batch, for
// images averaged down to 8x8: one double on the images' device. Copies and near copies, which indicate a mode
// collapse, pull it towards 0. Negative for N < 2.
torch::Tensor NearestNeighbourDistance(const torch::Tensor& images);
// For each class, [classes, 2]: the sum of the distances between all ordered pairs of its images, and the number of
// these pairs, in double on the images' device. Their mean does not depend on how many images of a class a batch has,
// as the distance to the nearest neighbour does. classes: float [N, classes], one-hot.
torch::Tensor DistancesWithinClasses(const torch::Tensor& images, const torch::Tensor& classes);
// The squared distances between all pairs of rows of [N, K] in the way that is used on GPUs: [N, N]. It avoids a tensor
// of N x N x K numbers, which at N = 256 takes a twentieth of a step. The distance of copies may differ from 0 by a
// rounding error.
torch::Tensor SquaredDistancesByProduct(const torch::Tensor& rows);

}  // namespace gan::step
