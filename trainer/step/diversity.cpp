#include "trainer/step/diversity.h"

#include <limits>

namespace gan::step {

namespace {

// [N, 3, R, R] -> [N, 8*8*3], double. Rows first: eight times as fast as adaptive_avg_pool2d where channels come last
// in memory.
torch::Tensor MeansOfBlocks(const torch::Tensor& images) {
  constexpr std::int64_t kSide = 8;
  const std::int64_t count = images.size(0), block = images.size(2) / kSide;
  const auto type = images.scalar_type() == torch::kBFloat16 ? torch::kFloat : images.scalar_type();
  const torch::Tensor rows = images.permute({0, 2, 3, 1}).reshape({count, kSide, block, -1}).mean(2, false, type);
  return rows.view({count, kSide, kSide, block, 3}).mean(3).flatten(1).to(torch::kDouble);
}

}  // namespace

torch::Tensor SquaredDistancesByProduct(const torch::Tensor& rows) {
  const torch::Tensor centred = rows - rows.mean(0);
  const torch::Tensor squares = centred.square().sum(1);
  return (squares.unsqueeze(1) + squares.unsqueeze(0) - 2 * centred.matmul(centred.t())).clamp_min(0);
}

torch::Tensor NearestNeighbourDistance(const torch::Tensor& images) {
  torch::NoGradGuard no_grad;
  if (images.size(0) < 2) return torch::full({}, -1, torch::kDouble);
  const torch::Tensor small = MeansOfBlocks(images);
  torch::Tensor distances = images.is_cpu()
                                ? (small.unsqueeze(1) - small.unsqueeze(0)).square().mean(2).sqrt()
                                : (SquaredDistancesByProduct(small) / static_cast<double>(small.size(1))).sqrt();
  distances.fill_diagonal_(std::numeric_limits<double>::infinity());
  return std::get<0>(distances.min(1)).mean();
}

}  // namespace gan::step
