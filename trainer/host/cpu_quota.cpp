// Reads the CPU quota of control groups, version 1 and 2.
#include <algorithm>
#include <fstream>
#include <limits>
#include <sstream>
#include <string>

#include "trainer/host/host_cpus.h"

namespace gan::host {

namespace fs = std::filesystem;

namespace {

constexpr double kNoQuota = std::numeric_limits<double>::infinity();

// A missing or negative quota means that there is no limit.
double Ratio(double quota, double period) { return quota > 0 && period > 0 ? quota / period : kNoQuota; }

// Version 2: cpu.max contains "max 100000" or, for example, "150000 100000".
double FromCpuMax(const fs::path& group) {
  std::ifstream file(group / "cpu.max");
  double quota = 0, period = 0;
  return file >> quota >> period ? Ratio(quota, period) : kNoQuota;
}

// Version 1: a quota of -1 means none.
double FromCfsQuota(const fs::path& group) {
  std::ifstream quota_file(group / "cpu.cfs_quota_us"), period_file(group / "cpu.cfs_period_us");
  double quota = 0, period = 0;
  return quota_file >> quota && period_file >> period ? Ratio(quota, period) : kNoQuota;
}

// The smallest quota of a group and all groups above it, up to the mount point. In a container the path of the group
// may be the one outside, which does not exist inside; then only the existing groups are read.
double Smallest(const fs::path& mount, const fs::path& group, double (*quota_of)(const fs::path&)) {
  double smallest = quota_of(mount);
  fs::path folder = mount;
  for (const fs::path& part : group.relative_path()) {
    folder /= part;
    smallest = std::min(smallest, quota_of(folder));
  }
  return smallest;
}

// Whether "cpu" is one of the controllers in a list like "cpu,cpuacct".
bool HasCpu(const std::string& controllers) { return ("," + controllers + ",").find(",cpu,") != std::string::npos; }

}  // namespace

// A process can belong to groups of both versions at once.
double CpuQuota(const fs::path& root) {
  const fs::path mount = root / "sys/fs/cgroup";
  double smallest = kNoQuota;
  std::ifstream groups(root / "proc/self/cgroup");
  for (std::string line; std::getline(groups, line);) {  // each line is number:controllers:path
    std::istringstream fields(line);
    std::string number, controllers, path;
    if (!std::getline(fields, number, ':') || !std::getline(fields, controllers, ':') || !std::getline(fields, path)) {
      continue;
    }
    // An empty list of controllers marks the hierarchy of version 2.
    if (controllers.empty()) {
      smallest = std::min(smallest, Smallest(mount, path, FromCpuMax));
    } else if (HasCpu(controllers)) {
      smallest = std::min(
          {smallest, Smallest(mount / "cpu", path, FromCfsQuota), Smallest(mount / controllers, path, FromCfsQuota)});
    }
  }
  return smallest;
}

}  // namespace gan::host
