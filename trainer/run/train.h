#pragma once

#include "trainer/distributed/communicator.h"
#include "trainer/run/options.h"

namespace gan::run {

// Trains until the end that `options` name or until asked to stop; flags that were not given are those of the run that
// goes on. Gives the process's exit code (done, stopped and saved, diverged). Collective over the world. Throws
// UsageError, DataError, IoError, CommunicationError, and ReportedElsewhere on ranks whose peer reports.
int Train(const TrainOptions& options, const distributed::World& world);

}  // namespace gan::run
