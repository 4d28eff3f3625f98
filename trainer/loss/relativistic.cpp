#include "trainer/loss/relativistic.h"

#include <numbers>

namespace gan::loss {

DiscriminatorLoss RelativisticDiscriminator(const torch::Tensor& real_logits, const torch::Tensor& fake_logits) {
  const torch::Tensor half = torch::softplus(fake_logits - real_logits).mean() / 2;
  return {half, half};
}

torch::Tensor RelativisticGenerator(const torch::Tensor& fake_logits, const torch::Tensor& real_logits) {
  return torch::softplus(real_logits - fake_logits).mean();
}

LossRange RelativisticDiscriminatorRange() { return {.floor = 0, .ceiling = std::numbers::ln2}; }

}  // namespace gan::loss
