#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace gan::cli {

// "1 h 04 min", "3 min 12 s", "8 s".
std::string FormatDuration(std::chrono::duration<double> seconds);

// A line on stderr with the progress of a job and its remaining time. Prints nothing when stderr is not a terminal.
// Uses colour unless NO_COLOR is set. Redraws at most ten times per second. Not thread-safe.
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
