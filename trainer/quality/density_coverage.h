#pragma once

#include <torch/types.h>

namespace gan::quality {

// Naeem et al., "Reliable fidelity and diversity metrics for generative models", ICML 2020, with 5 neighbours. Each
// real image has a ball whose radius is the distance to its fifth nearest real image. Density: the mean number of balls
// that contain a generated image, divided by 5 (1 when both sets have the same distribution, more when generated images
// concentrate where real images are dense). Coverage: the fraction of balls that contain a generated image.
struct DensityCoverage {
  double density = 0, coverage = 0;
};
// [N, D] and [M, D] features; at least six real images.
DensityCoverage MeasureDensityCoverage(const torch::Tensor& real, const torch::Tensor& fake);

}  // namespace gan::quality
