#pragma once

#include <cstdint>

namespace gan::step {

enum class Decay { kNone, kLinear, kCosine };

// The rate of both optimizers over a run: up in a straight line for `warmup_steps`, then down to zero at its end.
struct LearningRateSchedule {
  std::uint64_t warmup_steps = 0;
  Decay decay = Decay::kNone;
};

// What the base rate is multiplied with in step `step` (from 1) when `fraction_done` of the run lies behind it.
double LearningRateScale(const LearningRateSchedule& schedule, std::uint64_t step, double fraction_done);

}  // namespace gan::step
