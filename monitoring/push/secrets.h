// Values that must not appear in any log, page, file or list of processes.
#pragma once

#include <string>
#include <vector>

namespace gan::monitoring {

// The lines of a secret value: of the file FILE if `value` is "@FILE", otherwise `value` itself. If `value` is empty,
// the environment variable `variable` is used. Empty lines are left out; no line at all gives an empty list. Throws
// UsageError, which begins with `flag` and names the file but none of its content.
std::vector<std::string> ReadSecret(const std::string& value, const char* variable, const std::string& flag);

}  // namespace gan::monitoring
