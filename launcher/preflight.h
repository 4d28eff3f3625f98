#pragma once

#include <filesystem>

#include "launcher/command_line.h"

namespace gan::launch {

// Checks everything that a long run needs and prints one line per check: the program and its flags, the shards and
// their checksums, free space for checkpoints, and then, with real ranks under the launcher, their number, memory,
// ports, the shared run folder and the all-reduce. Returns 0 when all checks pass, 3 for damaged shards and 1 for any
// other problem.
int Preflight(const LaunchOptions& options, const std::filesystem::path& run);

}  // namespace gan::launch
