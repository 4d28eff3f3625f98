#include "trainer/loss/hinge.h"

namespace gan::loss {

DiscriminatorLoss HingeDiscriminator(const torch::Tensor& real_logits, const torch::Tensor& fake_logits) {
  return {torch::relu(1 - real_logits).mean(), torch::relu(1 + fake_logits).mean()};
}

torch::Tensor HingeGenerator(const torch::Tensor& fake_logits) { return -fake_logits.mean(); }

LossRange HingeDiscriminatorRange() { return {.floor = 0, .ceiling = 2}; }

}  // namespace gan::loss
