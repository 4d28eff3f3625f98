#pragma once

#include <cstdint>

namespace gan::step {

enum class Decay { kNone, kLinear, kCosine };

// The learning rate of both optimizers over a run: a linear rise during `warmup_steps`, then the decay, which reaches
// zero at the end of the run.
struct LearningRateSchedule {
  std::uint64_t warmup_steps = 0;
  Decay decay = Decay::kNone;
};

// The factor of the base rate in step `step` (counted from 1), when `fraction_done` of the run is complete.
double LearningRateScale(const LearningRateSchedule& schedule, std::uint64_t step, double fraction_done);

}  // namespace gan::step
