// Decides, when a run starts, the options that the user has left open: the values of a preset, the steps of --time, and
// how often quality is measured.
#pragma once

#include <optional>
#include <string>

#include "trainer/distributed/communicator.h"
#include "trainer/run/measure.h"
#include "trainer/run/options.h"

namespace gan::run {

struct SettledOptions {
  TrainOptions options;
  std::optional<StepTime> measured;  // set if --time or --dry-run required it
  std::string why_not_measured;      // set in a dry run without a measurement
};

// Collective. The options with the values of --preset, which rank 0 chooses for all, with --time as a number of steps,
// and, except for a dry run, with --quality-every auto as a number of steps. A run that resumes keeps its earlier
// choices. Throws UsageError, DataError and ReportedElsewhere.
SettledOptions Settle(const TrainOptions& options, const distributed::World& world);

// The steps that fit into `time`, at least one.
std::uint64_t StepsIn(const std::string& time, double seconds_per_step);

// The number of steps of the whole run, rounded up, for the measured size of the data set and number of images per
// step.
std::uint64_t TotalSteps(const TrainOptions& options, const StepTime& measured);

}  // namespace gan::run
