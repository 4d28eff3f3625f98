// Measures the peak memory of some work.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>

namespace gan::testing {

// The most memory that this process has had so far, in bytes: VmHWM of proc(5).
inline std::size_t PeakMemory() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("VmHWM:")) return std::stoull(line.substr(6)) * 1024;
  }
  return 0;
}

// For EXPECT_EXIT: ends the process with 0 when `work` needed at most `most` bytes more than there were before it.
template <typename Work>
[[noreturn]] void ExitByPeak(std::size_t most, const Work& work) {
  std::ofstream("/proc/self/clear_refs") << "5";  // the peak counts from now on
  const std::size_t before = PeakMemory();
  work();
  const std::size_t needed = PeakMemory() - before;
  if (needed > most) std::fprintf(stderr, "needed %zu bytes, at most %zu are right\n", needed, most);
  std::_Exit(needed <= most ? 0 : 1);
}

}  // namespace gan::testing
