#pragma once

#include <torch/torch.h>

namespace gan::quality {

// Naeem et al., "Reliable fidelity and diversity metrics for generative models", ICML 2020, with 5 neighbours. A real's
// ball reaches to its fifth neighbour among the reals. Density: in how many balls a fake lies, over 5, on average (1
// when the sets are of one kind, above when fakes crowd where reals are dense). Coverage: part of the balls with a
// fake.
struct DensityCoverage {
  double density = 0, coverage = 0;
};
// [N, D] and [M, D] features; at least six reals.
DensityCoverage MeasureDensityCoverage(const torch::Tensor& real, const torch::Tensor& fake);

}  // namespace gan::quality
