// Wasserstein loss: critic D(G(z)) - D(x), G -D(G(z)) (Arjovsky et al., "Wasserstein GAN", ICML 2017; with the gradient
// penalty of loss/penalty.h it is Gulrajani et al., "Improved training of Wasserstein GANs", NeurIPS 2017). Unbounded.
#pragma once

#include <torch/torch.h>

#include "trainer/loss/bce.h"

namespace gan::loss {

// scores: float [N, 1].
DiscriminatorLoss WassersteinCritic(const torch::Tensor& real_scores, const torch::Tensor& fake_scores);
torch::Tensor WassersteinGenerator(const torch::Tensor& fake_scores);

}  // namespace gan::loss
