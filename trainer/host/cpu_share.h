// How the ranks of a job share the CPUs of a host. A pure function, independent of the machine.
#pragma once

#include <limits>
#include <string>
#include <vector>

#include "open_mpi/binding.h"

namespace gan::host {

// One CPU as the kernel counts them: a core or, with simultaneous multithreading, one hardware thread of a core.
struct Cpu {
  int number = 0;
  int package = 0;
  int core = 0;  // within the package
};

using open_mpi::Binding;

struct CpuFacts {
  std::vector<Cpu> cpus;                // of the host, in any order
  std::vector<int> allowed;             // numbers of the CPUs that this job may use
  std::vector<std::vector<int>> bound;  // by local rank: numbers of the CPUs to which it was bound at the start
  int rank = 0;                         // local rank
  Binding binding = Binding::kNone;
  // CPU seconds per second that the container's quota grants to all ranks on this host together.
  double quota = std::numeric_limits<double>::infinity();
};

struct CpuShare {
  int threads = 1;          // number of compute threads; equal on all ranks of a host that were bound alike
  std::vector<int> run_on;  // numbers of the CPUs to run on; empty: no change
  std::string why;          // one line for the log: facts and conclusion
};

// All ranks of a host get equal shares of the CPUs that the job may use there. A binding that is only the launcher's
// default is replaced by a binding to the rank's share, aligned with packages and cores. Any other binding is kept, and
// CPUs on which several ranks may run are divided among them. The number of threads is at least one and otherwise at
// most the whole CPUs that the quota grants to this rank.
CpuShare CpuShareOf(const CpuFacts& facts);

}  // namespace gan::host
