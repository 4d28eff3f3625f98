#pragma once

#include <torch/csrc/distributed/c10d/Backend.hpp>

#include <chrono>
#include <functional>
#include <mutex>
#include <string>
#include <vector>

#include "trainer/distributed/communicator.h"
#include "trainer/distributed/mpi_api.h"

namespace gan::distributed {

// c10d over MPI for tensors on the CPU, each backend on an MPI communicator of its own. Collectives run on the calling
// thread and are complete when the call returns: on a CPU there is no spare core to overlap them with
// (docs/decisions/0004-collectives-inline.md). While it waits for peers it sleeps, so that ranks that share a core do
// not take it from each other. Throws CommunicationError naming rank, operation and size, also after the time-out.
// One thread at a time.
class MpiBackend : public c10d::Backend {
 public:
  // Collective over MPI_COMM_WORLD.
  MpiBackend(const World& world, std::string purpose, std::chrono::seconds timeout);
  ~MpiBackend() override;

  const std::string getBackendName() const override { return "gan_mpi"; }
  c10::intrusive_ptr<c10d::Work> allreduce(std::vector<at::Tensor>& tensors,
                                           const c10d::AllreduceOptions& options = {}) override;
  c10::intrusive_ptr<c10d::Work> broadcast(std::vector<at::Tensor>& tensors,
                                           const c10d::BroadcastOptions& options = {}) override;
  c10::intrusive_ptr<c10d::Work> allgather(std::vector<std::vector<at::Tensor>>& outputs,
                                           std::vector<at::Tensor>& inputs,
                                           const c10d::AllgatherOptions& options = {}) override;
  c10::intrusive_ptr<c10d::Work> barrier(const c10d::BarrierOptions& options = {}) override;

  TrafficCounters traffic() const;

 private:
  using Start = std::function<int(MPI_Request*)>;
  // Starts one nonblocking collective, waits for its end, counts it.
  void Run(const char* operation, std::uint64_t bytes, const Start& start);
  void Wait(MPI_Request& request, const std::string& what);
  [[noreturn]] void Fail(const std::string& what, const std::string& why) const;

  const std::string purpose_;
  const std::chrono::seconds timeout_;
  MPI_Comm communicator_ = MPI_COMM_NULL;
  mutable std::mutex mutex_;  // guards traffic_
  TrafficCounters traffic_;
};

}  // namespace gan::distributed
