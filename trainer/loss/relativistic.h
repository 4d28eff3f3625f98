// Relativistic pairing: D softplus(-(D(x) - D(G(z)))), G softplus(-(D(G(z)) - D(x))), each real with one fake
// (Jolicoeur-Martineau, "The relativistic discriminator", ICLR 2019; Huang et al., "The GAN is dead; long live the
// GAN!" (R3GAN), NeurIPS 2024, equation 3: to be used with R1 and R2).
#pragma once

#include <torch/torch.h>

#include "trainer/loss/bce.h"

namespace gan::loss {

// logits: float [N, 1], the same N. A pair's loss belongs to real and fake alike: each gets half.
DiscriminatorLoss RelativisticDiscriminator(const torch::Tensor& real_logits, const torch::Tensor& fake_logits);
torch::Tensor RelativisticGenerator(const torch::Tensor& fake_logits, const torch::Tensor& real_logits);
LossRange RelativisticDiscriminatorRange();  // 0 to log 2

}  // namespace gan::loss
