// How the CPUs of a host are shared among the ranks of a job: a pure function, for any machine.
#pragma once

#include <limits>
#include <string>
#include <vector>

namespace gan::host {

// One that the kernel gives threads to: a core, or each of the hardware threads of a core.
struct Cpu {
  int number = 0;
  int package = 0;
  int core = 0;  // within the package
};

// Who decided which CPUs a rank may run on.
enum class Binding {
  kNone,      // nobody narrowed it: what the shell, the container or the batch system left
  kDefault,   // the launcher, without having been asked to
  kAskedFor,  // the user
};

struct CpuFacts {
  std::vector<Cpu> cpus;                // of the host, in any order
  std::vector<int> allowed;             // the numbers of those that this job may use
  std::vector<std::vector<int>> bound;  // by rank on this host: the numbers of those that it was started on
  int rank = 0;                         // on this host
  Binding binding = Binding::kNone;
  // CPU seconds per second that the container grants to all ranks of this host together.
  double quota = std::numeric_limits<double>::infinity();
};

struct CpuShare {
  int threads = 1;          // to compute with; the same on every rank of a host whose ranks were bound alike
  std::vector<int> run_on;  // the numbers of the CPUs to run on from now on; empty: those that it has
  std::string why;          // one line for the log: what was found, and what follows
};

// The ranks of a host get equal shares of all CPUs that the job may use there. A binding that is the launcher's default
// is replaced by one to the rank's share, along packages and cores; any other is kept, and CPUs that several ranks may
// run on are shared among them. Never more threads than the quota has whole CPUs for this rank, never fewer than one.
CpuShare ShareOf(const CpuFacts& facts);

}  // namespace gan::host
