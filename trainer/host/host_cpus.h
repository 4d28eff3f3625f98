// What this machine says of its CPUs and of what this process may use of them.
#pragma once

#include <filesystem>
#include <vector>

#include "trainer/host/cpu_share.h"

namespace gan::host {

// The numbers of the CPUs that a process (0: the calling thread) may run on; empty when the kernel does not say.
std::vector<int> AffinityOf(int process);

// Lets every thread of this process run on these CPUs alone; those that it starts later inherit it. False, with nothing
// said, when the kernel refuses for the calling thread.
bool RunOn(const std::vector<int>& cpus);

// The host's CPUs that are online. `root` is where the file system begins, for tests.
std::vector<Cpu> CpusOfHost(const std::filesystem::path& root = "/");

// The smallest CPU quota of this process's control group and of those around it, of version 1 or 2 (cpu.max,
// cpu.cfs_quota_us), in CPUs; infinite where there is none.
double CpuQuota(const std::filesystem::path& root = "/");

// All that ShareOf() needs. `bound`: of each rank on this host, as it was started. Reads /proc, /sys and the
// environment.
CpuFacts FindCpuFacts(std::vector<std::vector<int>> bound, int rank);

}  // namespace gan::host
