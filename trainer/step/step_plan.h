#pragma once

#include <torch/types.h>

#include <array>
#include <cstdint>
#include <functional>

#include "trainer/loss/loss_options.h"
#include "trainer/step/draws.h"

namespace gan::step {

struct Batch {
  torch::Tensor real;     // float [N, 3, R, R] in [-1, 1]
  torch::Tensor latents;  // float [N, noise_dim, 1, 1]
  // float [N, classes] (model/classes.h); undefined for networks without classes.
  torch::Tensor real_classes = {}, fake_classes = {};
  Draws draws = {};  // may be undefined if the step neither augments nor mixes images

  std::array<torch::Tensor*, 6> Tensors() {
    return {&real, &latents, &real_classes, &fake_classes, &draws.augment, &draws.mix};
  }
};
using BatchSource = std::function<Batch()>;

// The operations of one step, the same on every rank. Two steps with equal plans, on batches of equal shapes, perform
// the same operations on the same parameters and states: a recorded step can be repeated for every step with its plan.
struct StepPlan {
  std::uint32_t discriminator_phases = 1;  // 0: D is run but not trained
  std::uint32_t micro_batches = 1;         // batches whose gradients are summed for one update (--global-batch)
  bool train_generator = true;             // false: G is frozen
  double max_beta1 = 1;                    // upper limit of Adam's first beta
  loss::Labels labels = {};
  loss::LossOptions loss = {};
  bool zero_centred_penalties = true;  // whether R1 and R2 are applied in this step
  bool augment = false;                // D's input images are augmented
  bool evaluate_unaugmented = false;   // with augmentation: also run D on images without augmentation, only for its AUC
  double loss_factor = 1;              // factor of both losses, for a deliberate fault (run/faults.h)

  bool operator==(const StepPlan&) const = default;
};

// The numbers that change from step to step under one plan; the same on every rank. On the device they are tensors, so
// that they are inputs of the operations and not part of them.
struct StepNumbers {
  double lr_d = 2e-4;
  double lr_g = 2e-4;
  double augment_probability = 1;  // of each operation on each of D's input images, if the plan augments
};

}  // namespace gan::step
