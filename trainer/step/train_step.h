// One training step: the discriminator's phase, then the generator's, as in the DCGAN paper (Radford et al., 2016).
#pragma once

#include <torch/types.h>

#include <cstdint>
#include <optional>

#include "trainer/step/gan.h"
#include "trainer/step/step_plan.h"

namespace gan::step {

// An update with synchronised gradients: the norm of the averaged gradient, and whether the update was applied (one
// with a gradient that is not finite never is). Absent when the network was not trained in this step.
struct Update {
  double gradient_norm = 0;
  bool applied = false;
};

// Measuring each class costs time and room in every line of the statistics.
inline constexpr std::size_t kMostWatchedClasses = 32;

// Seconds per phase. On a CPU, `discriminator` and `generator` do not include the time for synchronisation. On a GPU
// they do, because gradients are sent while the backward runs.
struct StepTimes {
  double data = 0, discriminator = 0, generator = 0;
  double sync = 0;  // in CPU collectives during both phases, including waiting for other ranks
};

// The measurements of this rank; only the updates are reduced over the ranks.
struct StepResult {
  double loss_d_real = 0, loss_d_fake = 0, loss_g = 0;  // without the terms of the next line
  double penalty = 0, matching = 0;                     // gradient penalties in D's loss; feature matching in G's
  // [N] float64 on the CPU, from the last D phase (all its micro-batches), before its update.
  torch::Tensor real_logits, fake_logits;
  // The logits for the images without augmentation. Undefined unless the plan requests them.
  torch::Tensor unaugmented_real_logits, unaugmented_fake_logits;
  double real_distance = 0, fake_distance = 0;  // NearestNeighbourDistance of the last batch
  // With up to kMostWatchedClasses classes, else undefined, float64 on the CPU: DistancesWithinClasses of the last
  // batch, [2 * classes], and the class of each image of the logits above, [N].
  torch::Tensor real_class_distances, fake_class_distances, real_classes, fake_classes;
  std::optional<Update> discriminator, generator;
  std::uint32_t real_batches = 0;  // number of batches taken from the source
  StepTimes times;
};

// Collective: every rank calls it with the same plan and numbers. Waits for a GPU once, at the end.
StepResult TrainStep(Gan& gan, const StepPlan& plan, const StepNumbers& numbers, const BatchSource& next_batch);

}  // namespace gan::step
