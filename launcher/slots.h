// Checks that the hosts given to mpirun have enough slots for the ranks.
#pragma once

#include "launcher/command_line.h"

namespace gan::launch {

// Throws UsageError when the hostfile given to mpirun has fewer slots than the job needs at least: mpirun would refuse
// every attempt, and no restart would help. Does not throw when Open MPI is configured to oversubscribe.
void RequireSlots(const LaunchOptions& options);

}  // namespace gan::launch
