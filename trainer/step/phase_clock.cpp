#include "trainer/step/phase_clock.h"

#include <exception>
#include <utility>

namespace gan::step {

void PhaseClock::ReadInto(StepTimes& times) const {
  times = {};
  for (const Measured& lap : laps_) times.*lap.phase += lap.begin.Until(lap.end) - lap.waited;
  times.sync = Waited() - waited_before_;
}

PhaseClock::Lap::Lap(PhaseClock* clock, double StepTimes::*phase)
    : clock_(clock), phase_(phase), exceptions_at_start_(std::uncaught_exceptions()) {
  if (clock_ == nullptr) return;
  waited_before_ = clock_->Waited();
  begin_.emplace(clock_->device_);
}

PhaseClock::Lap::~Lap() noexcept(false) {
  if (clock_ == nullptr || std::uncaught_exceptions() > exceptions_at_start_) return;
  clock_->laps_.push_back({phase_, std::move(*begin_), Moment(clock_->device_), clock_->Waited() - waited_before_});
}

}  // namespace gan::step
