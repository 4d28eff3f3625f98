// Relativistic pairing: D softplus(-(D(x) - D(G(z)))), G softplus(-(D(G(z)) - D(x))), each real with one generated
// image (Jolicoeur-Martineau, "The relativistic discriminator", ICLR 2019; Huang et al., "The GAN is dead; long live
// the GAN!" (R3GAN), NeurIPS 2024, equation 3: to be used with R1 and R2).
#include <numbers>

#include "trainer/loss/adversarial.h"

namespace gan::loss {

namespace {

// The loss of a pair is assigned to its real and its generated image in equal parts.
DiscriminatorLoss RelativisticDiscriminator(const torch::Tensor& real_logits, const torch::Tensor& fake_logits,
                                            const Labels&) {
  const torch::Tensor half = torch::softplus(fake_logits - real_logits).mean() / 2;
  return {half, half};
}

// The real images' logits are constants to G, but they decide how much each pair counts.
torch::Tensor RelativisticGenerator(const torch::Tensor& fake_logits, const torch::Tensor& real_logits) {
  return torch::softplus(real_logits - fake_logits).mean();
}

// ln 2 is the loss of a D that gives both images of every pair the same output.
LossRange RelativisticRange(const Labels&) { return {.floor = 0, .ceiling = std::numbers::ln2}; }

}  // namespace

const AdversarialLoss kRelativisticLoss = {.kind = Kind::kRpgan,
                                           .name = "rpgan",
                                           .description = "relativistic pairs (Huang 2024), with --r1 and --r2",
                                           .discriminator = RelativisticDiscriminator,
                                           .generator = RelativisticGenerator,
                                           .range = RelativisticRange,
                                           .generator_needs_reals = true};

}  // namespace gan::loss
