#pragma once

#include <cstdint>
#include <span>

#include "trainer/balance/balance.h"
#include "trainer/distributed/communicator.h"
#include "trainer/loss/bce.h"
#include "trainer/step/train_step.h"

namespace gan::run {

// One step as all ranks saw it together; the same on every rank.
struct Observation {
  double loss_d = 0, loss_d_real = 0, loss_d_fake = 0, loss_g = 0;
  double penalty_d = 0, matching_g = 0;  // terms of the two losses that are not in the numbers above
  double real_mean = 0, fake_mean = 0;   // mean of sigmoid(D(.)), what users are shown
  double accuracy_real = 0, accuracy_fake = 0;
  // P(D(real) > D(fake)), ties half: mean over ranks of the value over each rank's pairs. Of the images as D got them,
  // and of the images without augmentation (negative: not judged in this step).
  double auc_augmented = 0.5, auc = -1;
  // Mean distance of a picture to its nearest neighbour in the batch; negative: a batch of one has none.
  double diversity = -1, diversity_reference = -1;
  bool stop_requested = false;  // some rank was asked to stop
};

// Collective: one all-reduce of fourteen numbers.
// `augmented`: the logits of `result` are those of augmented images.
Observation Observe(const step::StepResult& result, bool augmented, bool stop_requested,
                    distributed::Communicator& communicator);

balance::Signals ToSignals(const Observation& observation, const step::StepResult& result,
                           const loss::LossRange& range);

// P(a > b) + P(a == b)/2 over all pairs: the area under the receiver operating characteristic (Mann and Whitney, 1947).
// A pair with a NaN counts as equal. O(N log N); neither is empty.
double AreaUnderCurve(std::span<const double> a, std::span<const double> b);

}  // namespace gan::run
