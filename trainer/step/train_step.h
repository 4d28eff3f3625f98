// One training step: the discriminator's phase, then the generator's, as in the seed.
#pragma once

#include <torch/torch.h>

#include <cstdint>
#include <optional>

#include "trainer/step/gan.h"
#include "trainer/step/step_plan.h"

namespace gan::step {

// A synchronised update: the norm of the averaged gradient, and whether it was applied (a gradient that is not finite
// is never applied). Absent when the network was not trained in this step.
struct Update {
  double gradient_norm = 0;
  bool applied = false;
};

// Seconds, each told once. On a CPU the networks' phases do not hold their synchronisation; on a GPU, where gradients
// travel while backward goes on, they do.
struct StepTimes {
  double data = 0, discriminator = 0, generator = 0;
  double sync = 0;  // in the CPU's collectives, within the two before it: waiting for other ranks included
};

// What this rank saw; not reduced over the ranks except for the updates.
struct StepResult {
  double loss_d_real = 0, loss_d_fake = 0, loss_g = 0;  // without the two terms of the next line
  double penalty = 0, matching = 0;                     // gradient penalties in D's loss, feature matching in G's
  // [N] float64 on the CPU, of the last D phase (all its micro-batches), before its update.
  torch::Tensor real_logits, fake_logits;
  // The same for the images without augmentation; undefined in a step whose plan does not ask for them.
  torch::Tensor unaugmented_real_logits, unaugmented_fake_logits;
  double real_distance = 0, fake_distance = 0;  // NearestNeighbourDistance of the last batch
  std::optional<Update> discriminator, generator;
  std::uint32_t real_batches = 0;  // batches taken from the source
  StepTimes times;
};

// Collective: every rank calls it with the same plan. A GPU is waited for once, at the end.
StepResult TrainStep(Gan& gan, const StepPlan& plan, const BatchSource& next_batch);

}  // namespace gan::step
