#pragma once

#include <torch/torch.h>

#include <cstdint>
#include <functional>

#include "trainer/loss/loss_options.h"

namespace gan::step {

struct Batch {
  torch::Tensor real;        // float [N, 3, R, R] in [-1, 1]
  torch::Tensor latents;     // float [N, noise_dim, 1, 1]
  std::uint64_t cursor = 0;  // the first real image's number among all of the run: what its random numbers follow from
};
using BatchSource = std::function<Batch()>;

// What the balance controller decided for this step; the same on every rank.
struct StepPlan {
  std::uint32_t discriminator_phases = 1;  // 0: D only looks
  std::uint32_t micro_batches = 1;         // batches whose gradients are summed into one update (--global-batch)
  bool train_generator = true;             // false: G is frozen
  double lr_d = 2e-4;
  double lr_g = 2e-4;
  double max_beta1 = 1;  // Adam's first beta is the configured one, but no more than this
  loss::Labels labels = {};
  loss::LossOptions loss = {};
  bool zero_centred_penalties = true;  // whether R1 and R2 have their turn in this step
  double augment_probability = 0;      // of each operation on each image in front of D; 0: images as they are
  bool evaluate_unaugmented = false;   // with augmentation: D also judges the images as they are, for its AUC alone
  double loss_factor = 1;              // of both losses; a fault brought about on purpose
  std::uint64_t seed = 0;              // of augmentations and of the points of WGAN-GP's penalty
};

}  // namespace gan::step
