#include "launcher/memory_kills.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>

#include "trainer/host/control_groups.h"

namespace gan::launch {

namespace fs = std::filesystem;

using host::CountIn;

namespace {

// The files of this process's control group with the counter; version 2 has one hierarchy, version 1 one for memory.
std::uint64_t KillsInGroup() {
  std::ifstream groups("/proc/self/cgroup");
  std::uint64_t most = 0;
  for (std::string line; std::getline(groups, line);) {
    // A line is "hierarchy:controllers:path", as "0::/user.slice" or "4:memory:/docker/ID".
    const std::size_t path = line.find(":/");
    if (path == std::string::npos) continue;
    const std::string below = line.substr(path + 2);
    if (line.starts_with("0::"))
      most = std::max(most, CountIn(fs::path("/sys/fs/cgroup") / below / "memory.events", "oom_kill"));
    if (line.find(":memory:") == std::string::npos) continue;
    most = std::max(most, CountIn(fs::path("/sys/fs/cgroup/memory") / below / "memory.oom_control", "oom_kill"));
  }
  // In a container the process's group may be mounted as the root.
  return std::max(most, CountIn("/sys/fs/cgroup/memory.events", "oom_kill"));
}

}  // namespace

// Both count the same event, so the larger one is taken. The count of /proc/vmstat is that of the whole host, also in a
// container. Linux before 4.13 has neither.
std::uint64_t MemoryKills() { return std::max(CountIn("/proc/vmstat", "oom_kill"), KillsInGroup()); }

}  // namespace gan::launch
