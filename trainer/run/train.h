#pragma once

#include "trainer/distributed/communicator.h"
#include "trainer/run/options.h"

namespace gan::run {

// Trains until the end of the run or until a stop is requested. Flags that were not given have the values of the
// resumed run. Returns the exit code of the process (done, stopped and saved, or diverged). Collective over the world.
// Throws UsageError, DataError, IoError and CommunicationError, and ReportedElsewhere on ranks that must stay silent.
int Train(const TrainOptions& options, const distributed::World& world);

}  // namespace gan::run
