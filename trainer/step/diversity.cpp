#include "trainer/step/diversity.h"

#include <algorithm>
#include <limits>
#include <vector>

namespace gan::step {

namespace {

// Two implementations of one distance: on CPUs the differences are formed one by one, which is exact for copies; on
// GPUs one matrix product is much faster than all pairs of differences.

// [N, 3, R, R] -> [N, 8*8*3] in double. Averages rows first, which for channels-last images is eight times as fast as
// adaptive_avg_pool2d.
torch::Tensor MeansOfBlocks(const torch::Tensor& images) {
  constexpr std::int64_t kSide = 8;
  const std::int64_t count = images.size(0), block = images.size(2) / kSide;
  const auto type = images.scalar_type() == torch::kBFloat16 ? torch::kFloat : images.scalar_type();
  const torch::Tensor rows = images.permute({0, 2, 3, 1}).reshape({count, kSide, block, -1}).mean(2, false, type);
  return rows.view({count, kSide, kSide, block, 3}).mean(3).flatten(1).to(torch::kDouble);
}

// [N, K] -> [N]: the distance of each row to the nearest other row. Computed in blocks of rows, because the differences
// between all pairs are N x N x K numbers: 13 GB at N = 2,048.
torch::Tensor NearestOneByOne(const torch::Tensor& rows) {
  constexpr std::int64_t kNumbersInFlight = std::int64_t{1} << 20;  // 8 MB
  const std::int64_t count = rows.size(0);
  const std::int64_t block = std::clamp<std::int64_t>(kNumbersInFlight / (count * rows.size(1)), 1, count);
  // One buffer for all blocks, because glibc does not reuse freed memory of large aligned allocations.
  const torch::Tensor buffer = torch::empty({block, count, rows.size(1)}, rows.options());
  std::vector<torch::Tensor> nearest;
  for (std::int64_t begin = 0; begin < count; begin += block) {
    const torch::Tensor mine = rows.narrow(0, begin, std::min(block, count - begin));
    torch::Tensor differences = buffer.narrow(0, 0, mine.size(0));
    torch::sub_out(differences, mine.unsqueeze(1), rows.unsqueeze(0));
    torch::Tensor distances = differences.square_().mean(2).sqrt();
    distances.diagonal(begin).fill_(std::numeric_limits<double>::infinity());  // excludes the row itself
    nearest.push_back(std::get<0>(distances.min(1)));
  }
  return torch::cat(nearest);
}

torch::Tensor NearestByProduct(const torch::Tensor& rows) {
  torch::Tensor distances = (SquaredDistancesByProduct(rows) / static_cast<double>(rows.size(1))).sqrt();
  distances.fill_diagonal_(std::numeric_limits<double>::infinity());
  return std::get<0>(distances.min(1));
}

}  // namespace

torch::Tensor SquaredDistancesByProduct(const torch::Tensor& rows) {
  // Centring reduces the cancellation in the difference of large products.
  const torch::Tensor centred = rows - rows.mean(0);
  const torch::Tensor squares = centred.square().sum(1);
  return (squares.unsqueeze(1) + squares.unsqueeze(0) - 2 * centred.matmul(centred.t())).clamp_min(0);
}

torch::Tensor DistancesWithinClasses(const torch::Tensor& images, const torch::Tensor& classes) {
  torch::NoGradGuard no_grad;
  const torch::Tensor rows = MeansOfBlocks(images), of = classes.to(torch::kDouble);
  torch::Tensor distances = (SquaredDistancesByProduct(rows) / static_cast<double>(rows.size(1))).sqrt();
  distances.fill_diagonal_(0);
  // The product with the one-hot rows adds up, for every image, its distances to the images of each class.
  const torch::Tensor count = of.sum(0);
  return torch::stack({(of * distances.matmul(of)).sum(0), count * (count - 1)}, 1);
}

torch::Tensor NearestNeighbourDistance(const torch::Tensor& images) {
  torch::NoGradGuard no_grad;
  if (images.size(0) < 2) return torch::full({}, -1, images.options().dtype(torch::kDouble));
  const torch::Tensor small = MeansOfBlocks(images);
  return (images.is_cpu() ? NearestOneByOne(small) : NearestByProduct(small)).mean();
}

}  // namespace gan::step
