// Collectives among a fixed set of ranks, implemented on c10d: MPI on CPUs, NCCL on GPUs. This library knows nothing
// about GANs.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include <c10/util/intrusive_ptr.h>

namespace at {
class Tensor;
}
namespace c10d {
class ProcessGroup;
}

namespace gan::distributed {

enum class ReduceOp { kSum, kAverage, kMax, kMin };  // kMax, kMin: not for values that may be NaN, see docs/cluster.md

// A collective failed or timed out; the message names the rank, the operation and its size.
class CommunicationError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// The traffic of a communicator since it was created, for tests and metrics.
struct TrafficCounters {
  std::uint64_t collectives = 0;
  std::uint64_t bytes = 0;
  double wait_seconds = 0;
  std::map<std::string, std::uint64_t> calls;  // "allreduce/1048576" (operation/bytes) -> count
};

// The process's place in the job, read from the MPI library; size 1 when started without a launcher.
struct World {
  int rank = 0;
  int size = 1;
  int local_rank = 0;  // among the ranks of this host
  int local_size = 1;
  // Indexed by local rank: the numbers of the CPUs on which the launcher allows that rank to run.
  std::vector<std::vector<int>> local_cpus = {};
};

// Initialises MPI (MPI_THREAD_MULTIPLE) for the life of the process and determines this process's rank. Throws
// UsageError when srun has started the process without PMIx, when a launcher of another MPI library has started several
// processes that are not connected, or when the MPI library does not support that thread level. Create it once, in
// main, before any communicator.
class Environment {
 public:
  // `expected_size`: the number of ranks that the user has specified, 0 for none. A single rank under a launcher that
  // this MPI library does not support is accepted only if 1 was specified.
  Environment(int* argc, char*** argv, int expected_size = 0);
  // Finalises MPI, which waits for all ranks. Skips this while an exception unwinds the stack, because the other ranks
  // may never reach it; mpirun then ends them.
  ~Environment();
  Environment(const Environment&) = delete;
  Environment& operator=(const Environment&) = delete;
  const World& world() const { return world_; }
  // Ends every rank of the job at once with `exit_code`.
  [[noreturn]] static void Abort(int exit_code);

 private:
  int exceptions_at_start_;
  World world_;
};

// Every rank must call the same operations in the same order. At most one thread at a time may use a communicator;
// different threads may use different communicators at once, because each has its own MPI communicator.
class Communicator {
 public:
  // Collective over all ranks of the job; every rank creates its communicators in the same order. `device`: where the
  // tensors are, "cpu" or "cuda". `purpose`: names the communicator in errors ("gradients", "control").
  static std::shared_ptr<Communicator> Create(const World& world, const std::string& purpose,
                                              const std::string& device = "cpu",
                                              std::chrono::seconds timeout = std::chrono::minutes(10));
  ~Communicator();

  int rank() const;
  int size() const;

  // Collectives work in place. Tensors must be dense and have the same shape and memory order on all ranks.
  void AllReduce(at::Tensor& tensor, ReduceOp op = ReduceOp::kSum);
  // All-reduces all tensors in one collective, without copying them into one buffer. Needs at least one tensor; all
  // must have the same type and device.
  void AllReduce(std::vector<at::Tensor> tensors, ReduceOp op = ReduceOp::kSum);
  void Broadcast(at::Tensor& tensor, int root = 0);
  // Small control messages, always over MPI. AllGather returns the bytes of every rank in rank order.
  std::vector<std::string> AllGather(const std::string& bytes);
  std::string Broadcast(const std::string& bytes, int root = 0);
  bool AllAgree(bool mine);  // true when true on every rank
  void Barrier();

  TrafficCounters traffic() const;
  double wait_seconds() const;  // waiting time in CPU collectives; those of a GPU are asynchronous
  // Counts traffic that c10d sends without the functions above, as c10d::Reducer does with its buckets on a GPU.
  void CountSent(std::uint64_t bytes);
  // One line for the log: the rendezvous address of ranks on GPUs and the addresses on which NCCL listens. Empty on
  // CPUs and for one rank.
  const std::string& rendezvous() const;
  // The c10d group itself, for c10d::Reducer and other users of c10d. The group of a single rank has no CUDA backend.
  const c10::intrusive_ptr<c10d::ProcessGroup>& process_group() const;

 private:
  struct Impl;
  explicit Communicator(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace gan::distributed
