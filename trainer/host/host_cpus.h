// Reads from the kernel which CPUs this machine has and which of them this process may use.
#pragma once

#include <filesystem>
#include <vector>

#include "trainer/host/cpu_share.h"

namespace gan::host {

// The numbers of the CPUs on which a process (0: the calling thread) may run. Empty when the kernel does not report
// them.
std::vector<int> AffinityOf(int process);

// Restricts every thread of this process to these CPUs; threads started later inherit this. Returns false, without
// logging, when the kernel refuses it for the calling thread.
bool RunOn(const std::vector<int>& cpus);

// The host's online CPUs. `root`: the root of the file system; tests pass another folder.
std::vector<Cpu> CpusOfHost(const std::filesystem::path& root = "/");

// The smallest CPU quota, in CPUs, of this process's control group and its parents, of version 1 or 2 (cpu.max,
// cpu.cfs_quota_us). Infinite when there is no quota.
double CpuQuota(const std::filesystem::path& root = "/");

// Collects the input of CpuShareOf(). `bound`: for each local rank, the CPUs to which it was bound at the start. Reads
// /proc, /sys and the environment.
CpuFacts FindCpuFacts(std::vector<std::vector<int>> bound, int rank);

}  // namespace gan::host
