#include "trainer/step/diversity.h"

#include <limits>

namespace gan::step {

torch::Tensor NearestNeighbourDistance(const torch::Tensor& images) {
  torch::NoGradGuard no_grad;
  if (images.size(0) < 2) return torch::full({}, -1, torch::kDouble);
  // Means of blocks, rows first: eight times as fast as adaptive_avg_pool2d where channels come last in memory.
  constexpr std::int64_t kSide = 8;
  const std::int64_t count = images.size(0), block = images.size(2) / kSide;
  const torch::Tensor rows = images.permute({0, 2, 3, 1}).reshape({count, kSide, block, -1}).mean(2);
  const torch::Tensor small = rows.view({count, kSide, kSide, block, 3}).mean(3).flatten(1).to(torch::kDouble);
  torch::Tensor distances = (small.unsqueeze(1) - small.unsqueeze(0)).square().mean(2).sqrt();
  distances.fill_diagonal_(std::numeric_limits<double>::infinity());
  return std::get<0>(distances.min(1)).mean();
}

}  // namespace gan::step
