// Hinge loss: D max(0, 1 - D(x)) + max(0, 1 + D(G(z))), G -D(G(z)) (Lim and Ye, "Geometric GAN", 2017; Miyato et al.,
// "Spectral normalization for generative adversarial networks", ICLR 2018, equations 16 and 17).
#pragma once

#include <torch/torch.h>

#include "trainer/loss/bce.h"

namespace gan::loss {

// logits: float [N, 1].
DiscriminatorLoss HingeDiscriminator(const torch::Tensor& real_logits, const torch::Tensor& fake_logits);
torch::Tensor HingeGenerator(const torch::Tensor& fake_logits);
LossRange HingeDiscriminatorRange();  // 0 behind both margins, 2 where every answer is 0

}  // namespace gan::loss
