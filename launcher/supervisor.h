#pragma once

#include <filesystem>

#include "launcher/command_line.h"

namespace gan::launch {

// Runs the job until it is done, stopped on request or hopeless; returns the exit code for gan-launch itself. Keeps
// launch.log and launch.json (last words) in the run folder. Takes over this process's signals.
int Supervise(const LaunchOptions& options, const std::filesystem::path& run);

}  // namespace gan::launch
