// Values that must reach no log, no page, no file and no list of processes.
#pragma once

#include <string>
#include <vector>

namespace gan::monitoring {

// The lines of a secret value: of the file FILE if `value` is "@FILE", otherwise `value` itself. An empty `value`
// stands for the environment variable `variable`. Empty lines are left out; no line at all gives an empty list. Throws
// UsageError, which begins with `flag` and names the file but none of its content.
std::vector<std::string> ReadSecret(const std::string& value, const char* variable, const std::string& flag);

}  // namespace gan::monitoring
