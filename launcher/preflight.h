#pragma once

#include <filesystem>

#include "launcher/command_line.h"

namespace gan::launch {

// Looks at everything a long run will need and prints one line each: the program and its flags, shards and their
// checksums, room for checkpoints, then, with real ranks under the launcher: their number, memory, ports, the shared
// run folder, the all-reduce. Returns 0 when all is in order, else 3 (shards) or 1.
int Preflight(const LaunchOptions& options, const std::filesystem::path& run);

}  // namespace gan::launch
