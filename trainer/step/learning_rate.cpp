#include "trainer/step/learning_rate.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace gan::step {

namespace {

double DecayScale(Decay decay, double fraction_done) {
  const double done = std::clamp(fraction_done, 0.0, 1.0);
  switch (decay) {
    case Decay::kLinear:
      return 1 - done;
    case Decay::kCosine:
      return (1 + std::cos(std::numbers::pi * done)) / 2;
    case Decay::kNone:
      break;
  }
  return 1;
}

}  // namespace

double LearningRateScale(const LearningRateSchedule& schedule, std::uint64_t step, double fraction_done) {
  // The step counts from 1, so the first step of the warm-up already has a rate above 0.
  const double warm = schedule.warmup_steps == 0
                          ? 1.0
                          : std::min(1.0, static_cast<double>(step) / static_cast<double>(schedule.warmup_steps));
  return warm * DecayScale(schedule.decay, fraction_done);
}

}  // namespace gan::step
