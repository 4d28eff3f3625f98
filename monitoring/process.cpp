#include "monitoring/process.h"

#include <sys/resource.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <system_error>

namespace gan::monitoring {
namespace {

double Seconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) + 1e-6 * static_cast<double>(time.tv_usec);
}

// Counts all threads of the process.
double CpuSeconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return Seconds(usage.ru_utime) + Seconds(usage.ru_stime);
}

// The second number of statm is the resident size in pages.
double ResidentBytes() {
  std::ifstream statm("/proc/self/statm");
  double total_pages = 0;
  double resident_pages = 0;
  statm >> total_pages >> resident_pages;
  return resident_pages * static_cast<double>(sysconf(_SC_PAGESIZE));
}

// Reading /proc itself holds one descriptor open.
double OpenFds() {
  std::error_code error;
  const std::filesystem::directory_iterator open("/proc/self/fd", error);
  return static_cast<double>(std::distance(begin(open), end(open)));
}

}  // namespace

ProcessReading ReadProcess() { return {CpuSeconds(), ResidentBytes(), OpenFds()}; }

}  // namespace gan::monitoring
