#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace gan::cli {

// "1 h 04 min", "3 min 12 s", "8 s".
std::string FormatDuration(std::chrono::duration<double> seconds);

// A line on stderr that shows how far a job is and how long it still takes; silent unless stderr is a terminal.
// Colour only when NO_COLOR is unset. Redraws at most ten times a second. Not thread-safe.
class ProgressBar {
 public:
  ProgressBar(std::string what, std::uint64_t total);
  ~ProgressBar();
  void Update(std::uint64_t done, const std::string& note = "");
  void Finish();

 private:
  std::string what_;
  std::uint64_t total_;
  bool shown_;
  std::chrono::steady_clock::time_point start_, last_{};
};

}  // namespace gan::cli
