#include "trainer/loss/wasserstein.h"

namespace gan::loss {

DiscriminatorLoss WassersteinCritic(const torch::Tensor& real_scores, const torch::Tensor& fake_scores) {
  return {-real_scores.mean(), fake_scores.mean()};
}

torch::Tensor WassersteinGenerator(const torch::Tensor& fake_scores) { return -fake_scores.mean(); }

}  // namespace gan::loss
