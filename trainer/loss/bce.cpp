#include "trainer/loss/bce.h"

#include <cmath>

namespace gan::loss {

namespace {

torch::Tensor Towards(const torch::Tensor& logits, double label) {
  return torch::binary_cross_entropy_with_logits(logits, torch::full_like(logits, label));
}

// Cross entropy of a Bernoulli(label) target under the prediction p.
double CrossEntropy(double label, double p) {
  const auto term = [](double weight, double value) { return weight == 0 ? 0.0 : -weight * std::log(value); };
  return term(label, p) + term(1 - label, 1 - p);
}

}  // namespace

DiscriminatorLoss BceDiscriminator(const torch::Tensor& real_logits, const torch::Tensor& fake_logits,
                                   const BceOptions& options) {
  return {Towards(real_logits, options.real_label), Towards(fake_logits, options.fake_label)};
}

torch::Tensor BceGenerator(const torch::Tensor& fake_logits) { return Towards(fake_logits, 1.0); }

LossRange BceDiscriminatorRange(const BceOptions& options) {
  const double real = options.real_label;
  const double fake = options.fake_label;
  const double undecided = (real + fake) / 2;  // the best constant answer
  return {.floor = CrossEntropy(real, real) + CrossEntropy(fake, fake),
          .ceiling = CrossEntropy(real, undecided) + CrossEntropy(fake, undecided)};
}

}  // namespace gan::loss
