#pragma once

#include <torch/nn/modules/container/sequential.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "trainer/data/classes.h"
#include "trainer/distributed/communicator.h"
#include "trainer/distributed/gradient_sync.h"
#include "trainer/distributed/tensor_average.h"
#include "trainer/loss/feature_matching.h"
#include "trainer/model/networks.h"
#include "trainer/step/adam.h"
#include "trainer/step/ema.h"
#include "trainer/step/gan_options.h"

namespace gan::step {

using Optimizer = Adam;  // the optimizer of both networks

// Both networks, their optimizers and everything else that training changes. Owned by the trainer; the same on every
// rank after every step.
struct Gan {
  Gan(const GanOptions& options, torch::Device device, std::uint64_t seed,
      const std::shared_ptr<distributed::Communicator>& communicator);

  // The tensors of networks, averages and optimizers that a checkpoint stores. They share storage with the originals.
  model::NamedTensors NamedState() const;

  GanOptions options;
  torch::Device device;
  std::shared_ptr<distributed::Communicator> communicator;  // for gradients and statistics
  torch::nn::Sequential generator;
  torch::nn::Sequential discriminator;
  Optimizer generator_optimizer;
  Optimizer discriminator_optimizer;
  distributed::GradientSync generator_sync;
  distributed::GradientSync discriminator_sync;
  std::vector<torch::Tensor> statistics;                    // batch-norm running mean and variance of both networks
  Ema ema;                                                  // of the generator
  std::shared_ptr<const loss::FeatureExtractor> extractor;  // of the perceptual loss; null without one
  data::Classes classes;                                    // of the data; as many as the networks have
};

// In all of them `classes` is as model/classes.h describes it, and undefined for networks without classes.
// Runs G with the precision of the options. latents [N, noise_dim, 1, 1] -> images [N, 3, R, R].
torch::Tensor Fakes(Gan& gan, const torch::Tensor& latents, const torch::Tensor& classes = {});
// Runs D. Returns logits [N, 1] in the data type of the weights.
torch::Tensor Logits(Gan& gan, const torch::Tensor& images, const torch::Tensor& classes = {});
using model::Labelled;
struct LogitsOfBoth {
  torch::Tensor real, fake;
};
// Runs D on two batches, each with its own batch-norm statistics. In bfloat16 D's weights are converted once for both.
LogitsOfBoth Logits(Gan& gan, const Labelled& real, const Labelled& fake);
model::DiscriminatorOutput OutputAndFeatures(Gan& gan, const torch::Tensor& images, const torch::Tensor& classes = {});

// Gives D `width` times the channels of the rule of widths (model/networks.h), a multiple of its present width. D still
// computes the same function. Its optimizer is reset. The same on every rank without communication. Throws UsageError
// when D cannot be widened.
void WidenDiscriminator(Gan& gan, std::int64_t width, std::uint64_t seed);

// Initialises D anew: weights, running statistics and moments become those of a new network of the same shape. The same
// on every rank without communication.
void RestartDiscriminator(Gan& gan, std::uint64_t seed);

}  // namespace gan::step
