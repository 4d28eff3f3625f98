// Distances between sets of features, in double precision.
#pragma once

#include <torch/torch.h>

namespace gan::quality {

// Between the normal distributions with the sets' means and covariances: |m1 - m2|^2 + tr(C1 + C2 - 2 (C1 C2)^1/2)
// (Heusel et al., "GANs trained by a two time-scale update rule", NeurIPS 2017; on Inception features it is FID).
// a, b: [N, D], at least two rows each. NaN when a feature is not finite.
double FrechetDistance(const torch::Tensor& a, const torch::Tensor& b);

// Unbiased squared maximum mean discrepancy with the kernel (x.y/D + 1)^3 over the whole sets (Binkowski et al.,
// "Demystifying MMD GANs", ICLR 2018; on Inception features it is KID). May be slightly negative.
double KernelDistance(const torch::Tensor& a, const torch::Tensor& b);

}  // namespace gan::quality
