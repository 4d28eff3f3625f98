#pragma once

#include <torch/torch.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "trainer/distributed/communicator.h"
#include "trainer/distributed/gradient_sync.h"
#include "trainer/distributed/tensor_average.h"
#include "trainer/loss/feature_matching.h"
#include "trainer/model/networks.h"
#include "trainer/step/adam.h"
#include "trainer/step/ema.h"
#include "trainer/step/gan_options.h"

namespace gan::step {

// Both networks with all that trains them. Owned by the run; the same on every rank after every step.
struct Gan {
  Gan(const GanOptions& options, torch::Device device, std::uint64_t seed,
      const std::shared_ptr<distributed::Communicator>& communicator);

  // All that a checkpoint keeps of the networks, averages and optimizers; the tensors share storage with them.
  model::NamedTensors NamedState() const;

  GanOptions options;
  torch::Device device;
  std::shared_ptr<distributed::Communicator> communicator;  // carries gradients and statistics
  torch::nn::Sequential generator;
  torch::nn::Sequential discriminator;
  Adam generator_optimizer;
  Adam discriminator_optimizer;
  distributed::GradientSync generator_sync;
  distributed::GradientSync discriminator_sync;
  std::vector<torch::Tensor> statistics;                    // batch-norm running mean and variance of both networks
  Ema ema;                                                  // of the generator
  std::shared_ptr<const loss::FeatureExtractor> extractor;  // of the perceptual term, when there is one
};

// With the precision that the options ask for. latents [N, noise_dim, 1, 1] -> images [N, 3, R, R].
torch::Tensor Fakes(Gan& gan, const torch::Tensor& latents);
// [N, 1], in the weights' own type.
torch::Tensor Logits(Gan& gan, const torch::Tensor& images);
struct LogitsOfBoth {
  torch::Tensor real, fake;
};
// Two batches, each normed by itself; in bfloat16 D's weights are converted once for both.
LogitsOfBoth Logits(Gan& gan, const torch::Tensor& real, const torch::Tensor& fake);
model::DiscriminatorOutput OutputAndFeatures(Gan& gan, const torch::Tensor& images);

// D gets `width` times the channels of the rule of widths, a multiple of what it has, and still computes what it did;
// its optimizer starts anew. The same on every rank without a collective. Throws UsageError when that cannot be.
void WidenDiscriminator(Gan& gan, std::int64_t width, std::uint64_t seed);

// D begins anew: weights, running statistics and moments as those of a new network of its shape. The same on every rank
// without a collective.
void RestartDiscriminator(Gan& gan, std::uint64_t seed);

}  // namespace gan::step
