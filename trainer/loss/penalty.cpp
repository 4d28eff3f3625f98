#include "trainer/loss/penalty.h"

#include <torch/autograd.h>

namespace gan::loss {

torch::Tensor SquaredGradientNorms(const Critic& critic, const torch::Tensor& images) {
  // Detached from G's graph: the penalty trains D alone.
  const torch::Tensor leaf = images.detach().requires_grad_(true);
  // The gradient of the sum holds, for each image, that of its own score, because no score depends on another image.
  // create_graph, because the gradient's norm is differentiated again, by D's parameters.
  const torch::Tensor gradient = torch::autograd::grad({critic(leaf).sum()}, {leaf}, /*grad_outputs=*/{},
                                                       /*retain_graph=*/true, /*create_graph=*/true)[0];
  return gradient.square().sum({1, 2, 3});
}

torch::Tensor ZeroCentredPenalty(const Critic& critic, const torch::Tensor& images, double gamma) {
  return SquaredGradientNorms(critic, images).mean() * (gamma / 2);
}

torch::Tensor InterpolatedPenalty(const Critic& critic, const torch::Tensor& real, const torch::Tensor& fake,
                                  const torch::Tensor& mix, double lambda) {
  const torch::Tensor weight = mix.view({-1, 1, 1, 1});
  const torch::Tensor between = weight * real.detach() + (1 - weight) * fake.detach();
  // A norm of exactly 0 has no gradient; the small addend avoids that.
  const torch::Tensor norms = (SquaredGradientNorms(critic, between) + 1e-16).sqrt();
  return (norms - 1).square().mean() * lambda;
}

}  // namespace gan::loss
