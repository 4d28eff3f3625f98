// Finds the programs of a job.
#pragma once

#include <string>

#include "launcher/command_line.h"

namespace gan::launch {

// The path of `name` in this program's folder when it exists there, otherwise `name` itself, which is then searched in
// PATH.
std::string BesideThisProgram(const std::string& name);

// Throws UsageError naming a program that cannot be started: the launcher or, when the job stays on this host, the
// program.
void RequirePrograms(const LaunchOptions& options);

}  // namespace gan::launch
