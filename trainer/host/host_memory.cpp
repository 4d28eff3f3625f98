#include "trainer/host/host_memory.h"

#include <algorithm>
#include <fstream>
#include <limits>
#include <string>

#include "trainer/host/control_groups.h"

namespace gan::host {

namespace fs = std::filesystem;

namespace {

constexpr double kNoLimit = std::numeric_limits<double>::infinity();

double KernelsEstimate(const fs::path& root) {
  std::ifstream file(root / "proc/meminfo");
  for (std::string name; file >> name;) {
    double kibibytes = 0;
    if (name == "MemAvailable:" && file >> kibibytes) return kibibytes * 1024;
  }
  return kNoLimit;
}

// The part of the page cache that the kernel counts as used memory of this control group (cgroup). The kernel frees it
// when a process needs memory. A group that has read a data set would seem full if this part were not subtracted.
double PageCache(const fs::path& stat_file, const std::string& prefix) {
  return static_cast<double>(CountIn(stat_file, prefix + "inactive_file") + CountIn(stat_file, prefix + "active_file"));
}

double Left(const fs::path& limit_file, const fs::path& used_file, double page_cache) {
  std::ifstream limit_of(limit_file), used_of(used_file);
  double limit = 0, used = 0;
  if (!(limit_of >> limit && used_of >> used)) return kNoLimit;
  // A group may use more than a limit that was lowered afterwards.
  return std::max(limit - std::max(used - page_cache, 0.0), 0.0);
}

// Version 2 writes "max" for no limit.
double LeftInVersion2(const fs::path& group) {
  return Left(group / "memory.max", group / "memory.current", PageCache(group / "memory.stat", ""));
}

// Version 1 writes a limit of about 2^63 for none, which is above every machine's memory. "total_" includes the groups
// below, as the usage does.
double LeftInVersion1(const fs::path& group) {
  return Left(group / "memory.limit_in_bytes", group / "memory.usage_in_bytes",
              PageCache(group / "memory.stat", "total_"));
}

}  // namespace

double AvailableMemory(const fs::path& root) {
  return std::min(KernelsEstimate(root), SmallestLimit(root, "memory", LeftInVersion1, LeftInVersion2));
}

}  // namespace gan::host
