// Runs another program and captures its output.
#pragma once

#include <string>
#include <vector>

namespace gan::launch {

struct CommandOutput {
  int code = 0;      // exit code; 1 when a signal ended it
  std::string text;  // stdout and stderr
};

// Runs `command` (searched in PATH) to its end, with empty standard input. Throws IoError when it cannot be started.
CommandOutput RunCommand(const std::vector<std::string>& command);

}  // namespace gan::launch
