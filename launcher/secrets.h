// Flags that must not appear in the command line of mpirun, which every user of the host can read.
#pragma once

#include <string>
#include <vector>

#include "launcher/command_line.h"

namespace gan::launch {

// Takes --alert-webhook, --alert-command and --otlp-endpoint out of the program's arguments, and puts their values and
// those of gan-launch's own flags into the environment, from which gan-train reads them. The program's flags have
// priority.
void MoveSecretsToEnvironment(LaunchOptions& options);

// The environment variables that are set and that mpirun must pass on to ranks on other hosts.
std::vector<std::string> PassedVariables();

}  // namespace gan::launch
