#include "trainer/quality/distances.h"

#include <limits>

namespace gan::quality {

namespace {

torch::Tensor Covariance(const torch::Tensor& features) {
  const torch::Tensor centred = features - features.mean(0, true);
  return torch::mm(centred.t(), centred) / static_cast<double>(features.size(0) - 1);
}

// The square root of a symmetric positive semidefinite matrix. Small negative eigenvalues are rounding errors.
torch::Tensor Root(const torch::Tensor& symmetric) {
  const auto [values, vectors] = torch::linalg_eigh(symmetric);
  return torch::mm(vectors * values.clamp_min(0).sqrt(), vectors.t());
}

// The polynomial kernel of KID.
torch::Tensor Kernel(const torch::Tensor& a, const torch::Tensor& b) {
  return (torch::mm(a, b.t()) / static_cast<double>(a.size(1)) + 1).pow(3);
}

// The mean of the kernel over pairs of different rows, which makes the estimate unbiased.
double MeanWithin(const torch::Tensor& a) {
  const torch::Tensor kernel = Kernel(a, a);
  const auto n = static_cast<double>(a.size(0));
  return ((kernel.sum() - kernel.trace()) / (n * (n - 1))).item<double>();
}

bool Finite(const torch::Tensor& a, const torch::Tensor& b) {
  return a.isfinite().all().item<bool>() && b.isfinite().all().item<bool>();
}

}  // namespace

double FrechetDistance(const torch::Tensor& first, const torch::Tensor& second) {
  torch::NoGradGuard no_grad;
  const torch::Tensor a = first.to(torch::kDouble), b = second.to(torch::kDouble);
  // linalg_eigh throws for values that are not finite.
  if (!Finite(a, b)) return std::numeric_limits<double>::quiet_NaN();
  const torch::Tensor covariance_a = Covariance(a), covariance_b = Covariance(b);
  // The trace of (C1 C2)^1/2 equals that of (C1^1/2 C2 C1^1/2)^1/2, which is symmetric and has real eigenvalues.
  // The root of C1 C2 itself would need a general matrix root, which is complex and unstable for singular covariances.
  // With fewer images than features they always are singular.
  const torch::Tensor root = Root(covariance_a);
  const torch::Tensor eigenvalues = torch::linalg_eigvalsh(torch::mm(torch::mm(root, covariance_b), root));
  const torch::Tensor distance = (a.mean(0) - b.mean(0)).square().sum() + covariance_a.trace() + covariance_b.trace() -
                                 2 * eigenvalues.clamp_min(0).sqrt().sum();
  return distance.item<double>();
}

double KernelDistance(const torch::Tensor& first, const torch::Tensor& second) {
  torch::NoGradGuard no_grad;
  const torch::Tensor a = first.to(torch::kDouble), b = second.to(torch::kDouble);
  return MeanWithin(a) + MeanWithin(b) - 2 * Kernel(a, b).mean().item<double>();
}

}  // namespace gan::quality
