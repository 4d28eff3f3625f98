// Gradient penalties. They need the gradient of each image's score with respect to that image alone. So the critic must
// not mix images: a batch norm in it must use its running statistics (model::OnRunningStatistics).
#pragma once

#include <torch/types.h>

#include <functional>

namespace gan::loss {

// images float [N, 3, R, R] -> scores [N, 1]. No score may depend on another image.
using Critic = std::function<torch::Tensor(const torch::Tensor& images)>;

// The squared Euclidean norm of the gradient of each score with respect to its image: [N]. Differentiable with respect
// to the critic's parameters.
torch::Tensor SquaredGradientNorms(const Critic& critic, const torch::Tensor& images);

// R1 on real images, R2 on generated ones: gamma/2 * E|grad D|^2 (Mescheder et al., "Which training methods for GANs do
// actually converge?", ICML 2018, equation 9). A scalar with its graph.
torch::Tensor ZeroCentredPenalty(const Critic& critic, const torch::Tensor& images, double gamma);

// WGAN-GP: lambda * E(|grad D(x')| - 1)^2 on x' = e x + (1 - e) G(z) (Gulrajani et al., NeurIPS 2017, algorithm 1).
// mix: the weight e of each pair, [N], in [0, 1].
torch::Tensor InterpolatedPenalty(const Critic& critic, const torch::Tensor& real, const torch::Tensor& fake,
                                  const torch::Tensor& mix, double lambda);

}  // namespace gan::loss
