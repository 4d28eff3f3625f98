// Wasserstein loss: critic D(G(z)) - D(x), G -D(G(z)) (Arjovsky et al., "Wasserstein GAN", ICML 2017), with the
// gradient penalty of loss/penalty.h (Gulrajani et al., "Improved training of Wasserstein GANs", NeurIPS 2017).
// Unbounded.
#include "trainer/loss/adversarial.h"

namespace gan::loss {

namespace {

DiscriminatorLoss WassersteinCritic(const torch::Tensor& real_scores, const torch::Tensor& fake_scores, const Labels&) {
  // The sign is that of a loss to be minimised; the paper maximises.
  return {-real_scores.mean(), fake_scores.mean()};
}

torch::Tensor WassersteinGenerator(const torch::Tensor& fake_scores, const torch::Tensor&) {
  return -fake_scores.mean();
}

}  // namespace

const AdversarialLoss kWassersteinLoss = {.kind = Kind::kWganGp,
                                          .name = "wgan-gp",
                                          .description = "Wasserstein critic with gradient penalty (Gulrajani 2017)",
                                          .discriminator = WassersteinCritic,
                                          .generator = WassersteinGenerator,
                                          .range = [](const Labels&) { return LossRange(); },
                                          .penalises_interpolates = true};

}  // namespace gan::loss
