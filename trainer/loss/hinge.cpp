// Hinge loss: D max(0, 1 - D(x)) + max(0, 1 + D(G(z))), G -D(G(z)) (Lim and Ye, "Geometric GAN", 2017; Miyato et al.,
// "Spectral normalization for generative adversarial networks", ICLR 2018, equations 16 and 17).
#include "trainer/loss/adversarial.h"

namespace gan::loss {

namespace {

DiscriminatorLoss HingeDiscriminator(const torch::Tensor& real_logits, const torch::Tensor& fake_logits,
                                     const Labels&) {
  return {torch::relu(1 - real_logits).mean(), torch::relu(1 + fake_logits).mean()};
}

// G's loss has no margin: one would take G's gradient away as soon as D accepts its images.
torch::Tensor HingeGenerator(const torch::Tensor& fake_logits, const torch::Tensor&) { return -fake_logits.mean(); }

// 0 when all images are beyond their margin, 2 when every output is 0.
LossRange HingeRange(const Labels&) { return {.floor = 0, .ceiling = 2}; }

}  // namespace

const AdversarialLoss kHingeLoss = {.kind = Kind::kHinge,
                                    .name = "hinge",
                                    .description = "hinge loss (Lim and Ye 2017)",
                                    .discriminator = HingeDiscriminator,
                                    .generator = HingeGenerator,
                                    .range = HingeRange};

}  // namespace gan::loss
