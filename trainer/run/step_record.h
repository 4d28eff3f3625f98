#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "trainer/balance/balance.h"
#include "trainer/quality/evaluator.h"
#include "trainer/step/train_step.h"

namespace gan::run {

// What all ranks measured together in one step; the same on every rank. Each member is a row of StepNumbers().
struct Observation {
  double loss_d = 0, loss_d_real = 0, loss_d_fake = 0, loss_g = 0;
  double penalty_d = 0, matching_g = 0;  // terms of the two losses that are not in the numbers above
  double real_mean = 0, fake_mean = 0;   // mean of sigmoid(D(x)) over real and generated images
  double accuracy_real = 0, accuracy_fake = 0;
  // P(D(real) > D(fake)), a tie counting one half: the mean over ranks of the value over the pairs of each rank. The
  // first is of the images as D got them, the second of the images without augmentation (negative: not measured).
  double auc_augmented = 0.5, auc = -1;
  // Mean distance of an image to its nearest neighbour in the batch; negative: a batch of one has none.
  double diversity = -1, diversity_reference = -1;
  bool stop_requested = false;  // some rank was asked to stop
};

// Everything that is known of one finished step.
struct StepRecord {
  std::uint64_t step = 0;    // 1 for the first
  std::uint64_t images = 0;  // real images consumed so far by all ranks
  double epoch = 0;
  double lr_g = 0, lr_d = 0;
  double augment_probability = 0;
  double seconds = 0;
  double images_per_second = 0;
  Observation seen;
  std::optional<quality::Measured> quality;  // present when quality was measured in this step
  step::StepResult local;                    // of this rank alone
  balance::Verdict verdict = balance::Verdict::kBalanced;
  bool collapse_foretold = false;  // the controller expects a mode collapse
  std::vector<balance::Intervention> interventions;
  bool best = false;  // the best quality so far, by the measure that the user named
};

}  // namespace gan::run
