// Reads the CPU quota of control groups, version 1 and 2.
#include <fstream>
#include <limits>

#include "trainer/host/control_groups.h"
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
  // "max" is not a number, so reading it fails, which correctly gives no quota.
  return file >> quota >> period ? Ratio(quota, period) : kNoQuota;
}

// Version 1: a quota of -1 means no limit.
double FromCfsQuota(const fs::path& group) {
  std::ifstream quota_file(group / "cpu.cfs_quota_us"), period_file(group / "cpu.cfs_period_us");
  double quota = 0, period = 0;
  return quota_file >> quota && period_file >> period ? Ratio(quota, period) : kNoQuota;
}

}  // namespace

double CpuQuota(const fs::path& root) { return SmallestLimit(root, "cpu", FromCfsQuota, FromCpuMax); }

}  // namespace gan::host
