#include "cli/duration.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <string>
#include <system_error>

#include "storage/errors.h"

namespace gan::cli {

namespace {

struct Unit {
  char name;
  std::int64_t seconds;
};
constexpr Unit kUnits[] = {{'d', 86400}, {'h', 3600}, {'m', 60}, {'s', 1}};
constexpr std::int64_t kMostSeconds = std::int64_t{10000} * 86400;

UsageError NoTime(std::string_view text) {
  return UsageError("\"" + std::string(text) + "\" is not a time such as 90s, 30m or 1h30m, of at most 10000d");
}

}  // namespace

// A number of 32 bits times a day fits into 64 bits, and there are at most four of them.
std::chrono::seconds ParseDuration(std::string_view text) {
  std::int64_t total = 0;
  const auto* allowed = std::begin(kUnits);  // the largest unit that may still follow
  const char* const end = text.data() + text.size();
  for (const char* at = text.data(); at != end;) {
    std::uint32_t number = 0;
    const std::from_chars_result read = std::from_chars(at, end, number);
    if (read.ec != std::errc() || read.ptr == end) throw NoTime(text);
    const auto* unit = std::find_if(allowed, std::end(kUnits), [&](const Unit& one) { return one.name == *read.ptr; });
    if (unit == std::end(kUnits)) throw NoTime(text);
    total += number * unit->seconds;
    // A unit may only be followed by smaller ones, which excludes "30m1h" and units that occur twice.
    allowed = unit + 1;
    at = read.ptr + 1;
  }
  if (total == 0 || total > kMostSeconds) throw NoTime(text);
  return std::chrono::seconds(total);
}

}  // namespace gan::cli
