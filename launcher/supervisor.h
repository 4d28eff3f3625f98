#pragma once

#include <filesystem>

#include "launcher/command_line.h"

namespace gan::launch {

// Runs the job until it is done, stopped on request, or cannot be restarted. Returns the exit code of gan-launch.
// Writes launch.log and launch.json (how the job ended) to the run folder. Handles all signals of this process.
int Supervise(const LaunchOptions& options, const std::filesystem::path& run);

}  // namespace gan::launch
