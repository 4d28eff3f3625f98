// The operations of a step, without waiting for them. Internal to this folder.
#pragma once

#include <cstdint>

#include "trainer/step/device_statistics.h"
#include "trainer/step/phase_clock.h"
#include "trainer/step/terms.h"

namespace gan::step {

// The number of batches that a step with this plan takes from its source.
std::uint32_t BatchCount(const StepPlan& plan);

// Queues a step on the gan's device and returns its measurements there. It reads nothing from the host but the batches
// and the plan, so the same operations make another step with this plan when other numbers and batches lie at the same
// places in memory. clock: null while the operations are recorded, because they do not run then.
StatisticsRow QueueStep(Gan& gan, const Planned& planned, const BatchSource& next_batch, PhaseClock* clock);

}  // namespace gan::step
