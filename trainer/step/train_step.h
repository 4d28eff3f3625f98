// One training step: the discriminator's phase, then the generator's, as in the seed.
#pragma once

#include <torch/torch.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "trainer/distributed/communicator.h"
#include "trainer/distributed/gradient_sync.h"
#include "trainer/loss/bce.h"
#include "trainer/model/networks.h"
#include "trainer/step/adam.h"

namespace gan::step {

// Both networks with all that trains them. Owned by the run; the same on every rank after every step.
struct Gan {
  Gan(const model::NetworkOptions& options, const AdamOptions& adam, torch::Device device, std::uint64_t seed,
      std::shared_ptr<distributed::Communicator> communicator);

  // All that a checkpoint keeps of the networks and optimizers; the tensors share storage with them.
  model::NamedTensors NamedState() const;

  torch::nn::Sequential generator;
  torch::nn::Sequential discriminator;
  Adam generator_adam;
  Adam discriminator_adam;
  distributed::GradientSync generator_sync;
  distributed::GradientSync discriminator_sync;
  std::vector<torch::Tensor> statistics;  // batch-norm running mean and variance of both networks
  distributed::GradientSync statistics_sync;
};

struct Batch {
  torch::Tensor real;     // float [N, 3, R, R] in [-1, 1]
  torch::Tensor latents;  // float [N, noise_dim, 1, 1]
};
using BatchSource = std::function<Batch()>;

// What the balance controller decided for this step; the same on every rank.
struct StepPlan {
  std::uint32_t discriminator_phases = 1;  // 0: D only looks
  bool train_generator = true;             // false: G is frozen
  double lr_d = 2e-4;
  double lr_g = 2e-4;
  loss::BceOptions labels;
};

// A synchronised update: the norm of the averaged gradient, and whether it was applied (a gradient that is not finite
// is never applied). Absent when the network was not trained in this step.
struct Update {
  double gradient_norm = 0;
  bool applied = false;
};

struct StepTimes {  // seconds
  double data = 0, discriminator = 0, generator = 0, sync = 0;
};

// What this rank saw; not reduced over the ranks except for the updates.
struct StepResult {
  double loss_d_real = 0, loss_d_fake = 0, loss_g = 0;
  torch::Tensor real_logits, fake_logits;  // float [N], of the last D phase, before its update
  std::optional<Update> discriminator, generator;
  std::uint32_t real_batches = 0;  // batches taken from the source
  StepTimes times;
};

// Collective: every rank calls it with the same plan.
StepResult TrainStep(Gan& gan, const StepPlan& plan, const BatchSource& next_batch);

}  // namespace gan::step
