// Whether the hosts named to mpirun have room for the ranks.
#pragma once

#include "launcher/command_line.h"

namespace gan::launch {

// Throws UsageError when the hostfile given to mpirun has fewer slots than the job could do with: mpirun would refuse
// every attempt, and no restart would help. Says nothing where Open MPI is told to oversubscribe.
void RequireSlots(const LaunchOptions& options);

}  // namespace gan::launch
