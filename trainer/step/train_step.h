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
#include "trainer/distributed/tensor_average.h"
#include "trainer/loss/bce.h"
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
  std::shared_ptr<distributed::Communicator> communicator;  // carries gradients and statistics
  torch::nn::Sequential generator;
  torch::nn::Sequential discriminator;
  Adam generator_adam;
  Adam discriminator_adam;
  distributed::GradientSync generator_sync;
  distributed::GradientSync discriminator_sync;
  std::vector<torch::Tensor> statistics;  // batch-norm running mean and variance of both networks
  distributed::TensorAverage statistics_average;
  Ema ema;  // of the generator
};

struct Batch {
  torch::Tensor real;     // float [N, 3, R, R] in [-1, 1]
  torch::Tensor latents;  // float [N, noise_dim, 1, 1]
};
using BatchSource = std::function<Batch()>;

// What the balance controller decided for this step; the same on every rank.
struct StepPlan {
  std::uint32_t discriminator_phases = 1;  // 0: D only looks
  std::uint32_t micro_batches = 1;         // batches whose gradients are summed into one update (--global-batch)
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

struct StepTimes {  // seconds, each told once: the networks' phases do not hold their synchronisation
  double data = 0, discriminator = 0, generator = 0;
  double sync = 0;  // in collectives, within the two before it: waiting for other ranks included
};

// What this rank saw; not reduced over the ranks except for the updates.
struct StepResult {
  double loss_d_real = 0, loss_d_fake = 0, loss_g = 0;
  torch::Tensor real_logits, fake_logits;  // [N], of the last D phase (all its micro-batches), before its update
  std::optional<Update> discriminator, generator;
  std::uint32_t real_batches = 0;  // batches taken from the source
  StepTimes times;

  void ForgetDiscriminatorPhase() {
    loss_d_real = loss_d_fake = 0;
    real_logits = fake_logits = torch::Tensor();
  }
};

// Collective: every rank calls it with the same plan.
StepResult TrainStep(Gan& gan, const StepPlan& plan, const BatchSource& next_batch);

}  // namespace gan::step
