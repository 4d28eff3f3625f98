#pragma once

#include <torch/torch.h>

#include <cstdint>
#include <functional>

#include "trainer/loss/loss_options.h"

namespace gan::step {

struct Batch {
  torch::Tensor real;     // float [N, 3, R, R] in [-1, 1]
  torch::Tensor latents;  // float [N, noise_dim, 1, 1]
  std::uint64_t cursor =
      0;  // number of the first real image among all images of the run; determines its random numbers
  // float [N, classes] (model/classes.h); undefined for networks without classes.
  torch::Tensor real_classes = {}, fake_classes = {};
};
using BatchSource = std::function<Batch()>;

// The decisions for one step; the same on every rank.
struct StepPlan {
  std::uint32_t discriminator_phases = 1;  // 0: D is run but not trained
  std::uint32_t micro_batches = 1;         // batches whose gradients are summed for one update (--global-batch)
  bool train_generator = true;             // false: G is frozen
  double lr_d = 2e-4;
  double lr_g = 2e-4;
  double max_beta1 = 1;  // upper limit of Adam's first beta
  loss::Labels labels = {};
  loss::LossOptions loss = {};
  bool zero_centred_penalties = true;  // whether R1 and R2 are applied in this step
  double augment_probability = 0;      // of each operation on each of D's input images; 0: no augmentation
  bool evaluate_unaugmented = false;   // with augmentation: also run D on images without augmentation, only for its AUC
  double loss_factor = 1;              // factor of both losses, for a deliberate fault (run/faults.h)
  std::uint64_t seed = 0;              // of augmentations and of the interpolation points of WGAN-GP's penalty
};

}  // namespace gan::step
