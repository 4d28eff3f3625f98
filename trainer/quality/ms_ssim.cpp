#include "trainer/quality/ms_ssim.h"

#include <array>
#include <vector>

#include <torch/nn/functional/conv.h>

namespace gan::quality {

namespace {

namespace nn = torch::nn::functional;

constexpr std::int64_t kWindow = 7;
constexpr double kSigma = 1.5;
constexpr double kRange = 2;  // difference between the highest and the lowest pixel value
// The constants of SSIM that stabilise the divisions.
constexpr double kC1 = (0.01 * kRange) * (0.01 * kRange);
constexpr double kC2 = (0.03 * kRange) * (0.03 * kRange);
constexpr std::array<double, 5> kWeights = {0.0448, 0.2856, 0.3001, 0.2363, 0.1333};

// A separable Gaussian filter without padding, so that border pixels do not enter.
torch::Tensor Blur(const torch::Tensor& images) {
  const torch::Tensor place = torch::arange(kWindow, images.options()) - (kWindow / 2);
  torch::Tensor window = torch::exp(-place.square() / (2 * kSigma * kSigma));
  window = (window / window.sum()).repeat({3, 1, 1, 1});  // [3, 1, 1, 7]
  // Two passes of 7 instead of one of 49.
  const torch::Tensor rows = nn::conv2d(images, window.transpose(2, 3), nn::Conv2dFuncOptions().groups(3));
  return nn::conv2d(rows, window, nn::Conv2dFuncOptions().groups(3));
}

// The two results of SSIM that MS-SSIM combines: contrast and structure at all scales, and all terms at the coarsest.
struct Similarity {
  torch::Tensor whole, structure;  // [N, 3]: mean SSIM, mean contrast-structure
};

Similarity Ssim(const torch::Tensor& a, const torch::Tensor& b) {
  const torch::Tensor mean_a = Blur(a), mean_b = Blur(b);
  const torch::Tensor variance_a = Blur(a * a) - mean_a.square();
  const torch::Tensor variance_b = Blur(b * b) - mean_b.square();
  const torch::Tensor covariance = Blur(a * b) - mean_a * mean_b;
  const torch::Tensor structure = (2 * covariance + kC2) / (variance_a + variance_b + kC2);
  const torch::Tensor whole = (2 * mean_a * mean_b + kC1) / (mean_a.square() + mean_b.square() + kC1) * structure;
  return {whole.flatten(2).mean(-1), structure.flatten(2).mean(-1)};
}

// The coarsest scale must be at least as large as the window.
std::size_t Scales(std::int64_t side) {
  std::size_t scales = 1;
  while (scales < kWeights.size() && (kWindow - 1) * (std::int64_t{1} << scales) < side) ++scales;
  return scales;
}

}  // namespace

// Double precision, because a variance is a small difference between large numbers.
torch::Tensor MsSsim(const torch::Tensor& first, const torch::Tensor& second) {
  torch::NoGradGuard no_grad;
  torch::Tensor a = first.to(torch::kDouble), b = second.to(torch::kDouble);
  const std::size_t scales = Scales(a.size(2));
  double sum = 0;
  for (std::size_t i = 0; i < scales; ++i) sum += kWeights[i];
  if (scales == kWeights.size()) sum = 1;  // the published five weights are used as they are; they add up to 1.0001
  torch::Tensor product = torch::ones({a.size(0), 3}, a.options());
  for (std::size_t i = 0; i < scales; ++i) {
    const Similarity similarity = Ssim(a, b);
    const torch::Tensor& part = i + 1 == scales ? similarity.whole : similarity.structure;
    // Negative similarities cannot be raised to a power, so they count as 0.
    product = product * torch::relu(part).pow(kWeights[i] / sum);
    if (i + 1 == scales) break;
    // pytorch-msssim pads odd sides in the same way; the results are compared with its own.
    const std::int64_t odd = a.size(2) % 2;
    a = torch::avg_pool2d(a, 2, 2, odd);
    b = torch::avg_pool2d(b, 2, 2, odd);
  }
  return product.mean(1);
}

}  // namespace gan::quality
