#pragma once

#include <chrono>
#include <string_view>

namespace gan::cli {

// The time in "90s", "30m", "1h30m" or "2d": whole numbers, each with one of the units d, h, m and s, the largest unit
// first and none twice. Throws UsageError for any other text, for a time of zero and for more than 10,000 days.
std::chrono::seconds ParseDuration(std::string_view text);

}  // namespace gan::cli
