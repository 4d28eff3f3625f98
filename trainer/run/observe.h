#pragma once

#include <cstdint>
#include <span>

#include "trainer/distributed/communicator.h"
#include "trainer/loss/loss_options.h"
#include "trainer/run/step_record.h"

namespace gan::run {

// Collective. Reduces the measurements of all ranks in a step with one all-reduce of some fifteen numbers. `augmented`:
// the logits in `result` are those of augmented images.
Observation Observe(const step::StepResult& result, bool augmented, bool stop_requested,
                    distributed::Communicator& communicator);

balance::Signals ToSignals(const Observation& observation, const step::StepResult& result,
                           const loss::LossRange& range);

// P(a > b) + P(a == b)/2 over all pairs: the area under the receiver operating characteristic (Mann and Whitney, 1947).
// A pair with a NaN counts as equal. O(N log N); neither is empty.
double AreaUnderCurve(std::span<const double> a, std::span<const double> b);

}  // namespace gan::run
