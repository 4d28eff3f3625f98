// Binary cross entropy on logits: smoothed labels for D, the non-saturating form for G (Goodfellow et al., "Generative
// adversarial nets", NeurIPS 2014, section 3; smoothing: Salimans et al., "Improved techniques for training GANs",
// NeurIPS 2016, section 3.4).
#include <cmath>

#include "trainer/loss/adversarial.h"

namespace gan::loss {

namespace {

// On logits and not on probabilities: the logarithm of a rounded sigmoid is infinite for outputs beyond about 17.
torch::Tensor CrossEntropyTo(const torch::Tensor& logits, double label) {
  return torch::binary_cross_entropy_with_logits(logits, torch::full_like(logits, label));
}

// The cross entropy between a Bernoulli(label) target and the prediction p.
double CrossEntropy(double label, double p) {
  const auto term = [](double weight, double value) { return weight == 0 ? 0.0 : -weight * std::log(value); };
  return term(label, p) + term(1 - label, 1 - p);
}

DiscriminatorLoss BceDiscriminator(const torch::Tensor& real_logits, const torch::Tensor& fake_logits,
                                   const Labels& labels) {
  return {CrossEntropyTo(real_logits, labels.real), CrossEntropyTo(fake_logits, labels.fake)};
}

// The non-saturating loss: labels 1 for generated images, never smoothed.
// Minimising log(1 - D(G(z))), the original form, gives G almost no gradient while D rejects its images with certainty.
torch::Tensor BceGenerator(const torch::Tensor& fake_logits, const torch::Tensor&) {
  return CrossEntropyTo(fake_logits, 1.0);
}

// The range depends only on the labels: it consists of their entropies.
LossRange BceRange(const Labels& labels) {
  // A D that gives every image the same output has the smallest loss when that output is the mean label. D falls back
  // to this output when it knows nothing, so its loss bounds the range in which the loss carries information.
  const double undecided = (labels.real + labels.fake) / 2;  // the best constant output
  return {.floor = CrossEntropy(labels.real, labels.real) + CrossEntropy(labels.fake, labels.fake),
          .ceiling = CrossEntropy(labels.real, undecided) + CrossEntropy(labels.fake, undecided)};
}

}  // namespace

const AdversarialLoss kBceLoss = {.kind = Kind::kBce,
                                  .name = "bce",
                                  .description = "binary cross entropy with smoothed labels (Goodfellow 2014)",
                                  .discriminator = BceDiscriminator,
                                  .generator = BceGenerator,
                                  .range = BceRange};

}  // namespace gan::loss
