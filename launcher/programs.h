// Where the programs of a job are found.
#pragma once

#include <string>

#include "launcher/command_line.h"

namespace gan::launch {

// `name` beside this program when it lies there, else as it is (found through PATH).
std::string BesideThisProgram(const std::string& name);

// Throws UsageError naming what cannot be started: the launcher, or, when the job stays on this host, the program.
void RequirePrograms(const LaunchOptions& options);

}  // namespace gan::launch
