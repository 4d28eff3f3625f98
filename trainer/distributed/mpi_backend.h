#pragma once

#include <torch/csrc/distributed/c10d/Backend.hpp>

#include <chrono>
#include <string>
#include <vector>

#include "trainer/distributed/communicator.h"
#include "trainer/distributed/mpi_api.h"
#include "trainer/distributed/mpi_calls.h"
#include "trainer/distributed/tensor_row.h"

namespace gan::distributed {

// A c10d backend over MPI for tensors on the CPU. Each backend has its own MPI communicator. Collectives run on the
// calling thread and are complete when the call returns, because no core is free to run them asynchronously
// (docs/decisions/0004-collectives-inline.md). MpiCalls compares what the ranks are about to run, so a
// mismatch is an error on every rank and never a wrong sum.
// Sums are bit-equal on all ranks. With Open MPI they are also equal in every run with the same number of ranks: an
// in-place MPI_Iallreduce is a binomial tree to rank 0 and back for every buffer size. Large sums among 2^k ranks use
// recursive halving, which adds in the same order.
// Throws CommunicationError naming rank, operation and size, also after the time-out; the backend cannot be used after
// that. One thread at a time.
class MpiBackend : public c10d::Backend {
 public:
  // Collective over MPI_COMM_WORLD.
  MpiBackend(const World& world, std::string purpose, std::chrono::seconds timeout);

  const std::string getBackendName() const override { return "gan_mpi"; }
  c10::intrusive_ptr<c10d::Work> allreduce(std::vector<at::Tensor>& tensors,
                                           const c10d::AllreduceOptions& options = {}) override;
  // One sum over all elements of all tensors, which must have the same type. Large tensors are sent without copying
  // them into a buffer.
  c10::intrusive_ptr<c10d::Work> allreduce_coalesced(std::vector<at::Tensor>& tensors,
                                                     const c10d::AllreduceCoalescedOptions& options = {}) override;
  c10::intrusive_ptr<c10d::Work> broadcast(std::vector<at::Tensor>& tensors,
                                           const c10d::BroadcastOptions& options = {}) override;
  c10::intrusive_ptr<c10d::Work> allgather(std::vector<std::vector<at::Tensor>>& outputs,
                                           std::vector<at::Tensor>& inputs,
                                           const c10d::AllgatherOptions& options = {}) override;
  c10::intrusive_ptr<c10d::Work> barrier(const c10d::BarrierOptions& options = {}) override;

  TrafficCounters traffic() const { return calls_.traffic(); }
  double wait_seconds() const { return calls_.wait_seconds(); }

 private:
  // Reduces all elements of all tensors in place.
  void Reduce(const std::vector<at::Tensor>& tensors, const c10d::ReduceOp& op);
  // Sums or averages `part` of the row over 2^k ranks.
  void ReduceByHalving(const MpiCall& call, const TensorRow& row, Part part, MPI_Datatype type, bool average);
  // Exchanges tensors with a peer, all at the same time.
  void Swap(const MpiCall& call, MPI_Datatype type, int peer, const std::vector<at::Tensor>& give,
            const std::vector<at::Tensor>& take);

  MpiCalls calls_;
};

}  // namespace gan::distributed
