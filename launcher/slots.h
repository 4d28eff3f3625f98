// How many ranks the hosts named to mpirun have room for.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>

#include "launcher/command_line.h"

namespace gan::launch {

// The sum of slots=N in an Open MPI hostfile; nothing when some host leaves its slots to be found out by Open MPI.
// Throws UsageError when the file cannot be read.
std::optional<std::uint64_t> SlotsOf(const std::filesystem::path& hostfile);

// Throws UsageError when the hostfile given to mpirun has fewer slots than the job could do with: mpirun would refuse
// every attempt, and no restart would help. Says nothing where Open MPI is told to oversubscribe.
void RequireSlots(const LaunchOptions& options);

}  // namespace gan::launch
