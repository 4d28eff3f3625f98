#include "trainer/quality/density_coverage.h"

namespace gan::quality {

namespace {

constexpr std::int64_t kNeighbours = 5;

// Computed from differences: distances from products would be inaccurate for near neighbours, which matter here.
torch::Tensor Distances(const torch::Tensor& a, const torch::Tensor& b) {
  return torch::cdist(a, b, 2, /*compute_mode=*/2);
}

}  // namespace

DensityCoverage MeasureDensityCoverage(const torch::Tensor& real_features, const torch::Tensor& fake_features) {
  torch::NoGradGuard no_grad;
  const torch::Tensor real = real_features.to(torch::kDouble), fake = fake_features.to(torch::kDouble);
  // The nearest point of a real image is the image itself, hence kNeighbours + 1.
  // The radius comes from the real images alone, so one outlier among the generated ones cannot enlarge a ball.
  const torch::Tensor radius = std::get<0>(Distances(real, real).kthvalue(kNeighbours + 1, 1));
  const torch::Tensor inside = Distances(real, fake) < radius.unsqueeze(1);  // [N, M]
  return {.density = inside.to(torch::kDouble).sum(0).mean().item<double>() / kNeighbours,
          .coverage = inside.any(1).to(torch::kDouble).mean().item<double>()};
}

}  // namespace gan::quality
