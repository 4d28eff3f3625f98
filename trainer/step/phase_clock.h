// How long each phase of a step takes. Internal to this folder.
#pragma once

#include <optional>
#include <vector>

#include "trainer/distributed/communicator.h"
#include "trainer/step/device_work.h"
#include "trainer/step/train_step.h"

namespace gan::step {

// Measures laps, each of which belongs to a phase. On a GPU the laps are those of the device. Time inside CPU
// collectives is reported as synchronisation and not as part of a phase, so no second is counted twice. (On GPUs
// collectives are queued like all other work.) Not thread-safe.
class PhaseClock {
 public:
  PhaseClock(torch::Device device, const distributed::Communicator& communicator)
      : device_(device), communicator_(communicator), waited_before_(Waited()) {}

  // A lap from its construction to its destruction.
  class Lap;
  // Sets all times. Call it when the device has finished everything that was queued.
  void ReadInto(StepTimes& times) const;

 private:
  struct Measured {
    double StepTimes::*phase;
    Moment begin, end;
    double waited;
  };
  double Waited() const { return communicator_.wait_seconds(); }

  torch::Device device_;
  const distributed::Communicator& communicator_;
  double waited_before_;
  std::vector<Measured> laps_;
};

class PhaseClock::Lap {
 public:
  // `clock`: null measures nothing.
  Lap(PhaseClock* clock, double StepTimes::*phase);
  // May throw, because recording a time on a GPU is work on it. Records nothing while an exception unwinds the stack.
  ~Lap() noexcept(false);
  Lap(const Lap&) = delete;
  Lap& operator=(const Lap&) = delete;

 private:
  PhaseClock* clock_;
  double StepTimes::*phase_;
  double waited_before_ = 0;
  std::optional<Moment> begin_;
  int exceptions_at_start_;
};

}  // namespace gan::step
