// Distances between sets of features, in double precision.
#pragma once

#include <torch/types.h>

namespace gan::quality {

// The Fréchet distance between normal distributions with the means and covariances of the sets: |m1 - m2|^2 + tr(C1 +
// C2 - 2 (C1 C2)^1/2) (Heusel et al., "GANs trained by a two time-scale update rule", NeurIPS 2017; with Inception
// features it is FID). a, b: [N, D], at least two rows each. NaN when a feature is not finite.
double FrechetDistance(const torch::Tensor& a, const torch::Tensor& b);

// The unbiased squared maximum mean discrepancy with the kernel (x.y/D + 1)^3 over the whole sets (Binkowski et al.,
// "Demystifying MMD GANs", ICLR 2018; with Inception features it is KID). It may be slightly negative.
double KernelDistance(const torch::Tensor& a, const torch::Tensor& b);

}  // namespace gan::quality
