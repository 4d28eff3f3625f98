// Collectives for one purpose among a fixed set of ranks, behind c10d: MPI on CPUs, NCCL on GPUs.
// This library knows nothing of GANs.
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

enum class ReduceOp { kSum, kAverage, kMax, kMin };

// A collective failed or timed out; the message names the rank, the operation and its size.
class CommunicationError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// What passed through a communicator since it was made, for tests and metrics.
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
  // By local rank: the numbers of the CPUs that the kernel lets it run on, as its launcher left them.
  std::vector<std::vector<int>> local_cpus = {};
};

// Starts MPI (MPI_THREAD_MULTIPLE) for the life of the process and finds this process's place.
// Throws UsageError when srun has started it without PMIx, when a launcher of another MPI library has started several
// processes that do not know of each other, or when the MPI library cannot give that thread level. Call once, from
// main, before any communicator.
class Environment {
 public:
  // `expected_size`: the number of ranks that the user named, 0 for none. One alone under a launcher that this library
  // does not understand is accepted only if 1 was named.
  Environment(int* argc, char*** argv, int expected_size = 0);
  // Finalizes MPI, which waits for all ranks; not while an exception unwinds, when the others may be anywhere. mpirun
  // then ends them.
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

// Every rank must call the same operations in the same order. One thread at a time per communicator; different
// communicators may be used from different threads at once (each has its own MPI communicator).
class Communicator {
 public:
  // Collective over all ranks of the job; every rank creates its communicators in the same order.
  // `device` is "cpu" or "cuda" (tensors' home). `purpose` names the communicator in errors ("gradients", "control").
  static std::shared_ptr<Communicator> Create(const World& world, const std::string& purpose,
                                              const std::string& device = "cpu",
                                              std::chrono::seconds timeout = std::chrono::minutes(10));
  ~Communicator();

  int rank() const;
  int size() const;

  // In place. Tensors must be dense and of the same shape and order in memory on all ranks.
  void AllReduce(at::Tensor& tensor, ReduceOp op = ReduceOp::kSum);
  // All of them in one collective, without a copy into a buffer of their joint size. At least one; of one type and
  // device.
  void AllReduce(std::vector<at::Tensor> tensors, ReduceOp op = ReduceOp::kSum);
  void Broadcast(at::Tensor& tensor, int root = 0);
  // Small control messages, always over MPI. AllGather gives every rank's bytes in rank order.
  std::vector<std::string> AllGather(const std::string& bytes);
  std::string Broadcast(const std::string& bytes, int root = 0);
  bool AllAgree(bool mine);  // true when true on every rank
  void Barrier();

  TrafficCounters traffic() const;
  double wait_seconds() const;  // that of the traffic: in collectives of the CPU; those of a GPU are queued
  // For what c10d has sent past the calls above: c10d::Reducer's buckets on a GPU.
  void CountSent(std::uint64_t bytes);
  // One line for the log: where the ranks of GPUs meet and NCCL listens. Empty on CPUs and for one rank.
  const std::string& rendezvous() const;
  // The c10d group itself, for c10d::Reducer and other users of c10d. Of one rank alone it has no CUDA backend.
  const c10::intrusive_ptr<c10d::ProcessGroup>& process_group() const;

 private:
  struct Impl;
  explicit Communicator(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace gan::distributed
