#include "trainer/host/control_groups.h"

#include <algorithm>
#include <fstream>
#include <limits>
#include <sstream>

namespace gan::host {

namespace fs = std::filesystem;

namespace {

// The smallest limit of a group and all groups above it, up to the mount point. In a container the path of the group
// may be the one outside, which does not exist inside; then only the existing groups are read.
double Smallest(const fs::path& mount, const fs::path& group, LimitOf limit_of) {
  // Every group on the path counts, because the limit of a parent also applies to its children, whatever their own
  // limits are.
  double smallest = limit_of(mount);
  fs::path folder = mount;
  for (const fs::path& part : group.relative_path()) {
    folder /= part;
    smallest = std::min(smallest, limit_of(folder));
  }
  return smallest;
}

// Whether `controller` is in a list like "cpu,cpuacct".
bool Contains(const std::string& controllers, const std::string& controller) {
  return ("," + controllers + ",").find("," + controller + ",") != std::string::npos;
}

}  // namespace

// A process can belong to control groups of versions 1 and 2 at once.
double SmallestLimit(const fs::path& root, const std::string& controller, LimitOf version_1, LimitOf version_2) {
  const fs::path mount = root / "sys/fs/cgroup";
  double smallest = std::numeric_limits<double>::infinity();
  std::ifstream groups(root / "proc/self/cgroup");
  for (std::string line; std::getline(groups, line);) {  // each line is number:controllers:path
    std::istringstream fields(line);
    std::string number, controllers, path;
    if (!std::getline(fields, number, ':') || !std::getline(fields, controllers, ':') || !std::getline(fields, path)) {
      continue;
    }
    // An empty list of controllers marks the hierarchy of version 2.
    if (controllers.empty()) {
      smallest = std::min(smallest, Smallest(mount, path, version_2));
    } else if (Contains(controllers, controller)) {
      // Distributions mount a controller under its own name or under those of all that share the hierarchy
      // ("cpu,cpuacct").
      smallest = std::min(
          {smallest, Smallest(mount / controller, path, version_1), Smallest(mount / controllers, path, version_1)});
    }
  }
  return smallest;
}

std::uint64_t CountIn(const fs::path& file, const std::string& name) {
  std::ifstream lines(file);
  std::string word;
  std::uint64_t count = 0;
  while (lines >> word >> count) {
    if (word == name) return count;
  }
  return 0;
}

}  // namespace gan::host
