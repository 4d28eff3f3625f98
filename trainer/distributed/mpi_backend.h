#pragma once

#include <torch/csrc/distributed/c10d/Backend.hpp>

#include <chrono>
#include <functional>
#include <mutex>
#include <string>
#include <vector>

#include "trainer/distributed/communicator.h"
#include "trainer/distributed/mpi_api.h"
#include "trainer/distributed/tensor_row.h"

namespace gan::distributed {

// A c10d backend over MPI for tensors on the CPU. Each backend has its own MPI communicator. Collectives run on the
// calling thread and are complete when the call returns, because no core is free to run them asynchronously
// (docs/decisions/0004-collectives-inline.md). Before transferring data the ranks compare the collectives that they are
// about to run, so a mismatch is an error on every rank and never a wrong sum. A waiting rank sleeps, so that ranks
// that share a core do not slow each other down.
// Sums are bit-equal on all ranks. With Open MPI they are also equal in every run with the same number of ranks: an
// in-place MPI_Iallreduce is a binomial tree to rank 0 and back for every buffer size. Large sums among 2^k ranks use
// recursive halving, which adds in the same order.
// Throws CommunicationError naming rank, operation and size, also after the time-out; the backend cannot be used after
// that. One thread at a time.
class MpiBackend : public c10d::Backend {
 public:
  // Collective over MPI_COMM_WORLD.
  MpiBackend(const World& world, std::string purpose, std::chrono::seconds timeout);
  ~MpiBackend() override;

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

  TrafficCounters traffic() const;
  double wait_seconds() const;

 private:
  // The collective that this rank is about to run.
  struct Call {
    const char* operation;
    std::uint64_t bytes;
    std::string how;  // further properties on which the ranks must agree: type, reduction, root

    std::string Name() const { return std::string(operation) + "/" + std::to_string(bytes); }
    std::string Text() const { return how.empty() ? Name() : Name() + " (" + how + ")"; }
  };
  // The pending MPI requests of one step of a collective.
  class Requests {
   public:
    MPI_Request* New() { return &all_.emplace_back(MPI_REQUEST_NULL); }  // valid until the next call
    // Sets `done` to whether all requests are complete. Returns the MPI error code of the first failed one.
    int Test(int* done);

   private:
    std::vector<MPI_Request> all_;
    std::vector<MPI_Status> states_;
  };
  using Start = std::function<int(Requests&)>;
  enum class WaitFor { kPeers, kTransfer };

  // Returns when every rank has called. Fails unless all of them run the same collective.
  void Meet(const Call& call);
  [[noreturn]] void ReportMismatch(const Call& call);
  // Starts nonblocking operations on `buffers` and waits until they are complete.
  void Complete(const Call& call, WaitFor what, const std::vector<at::Tensor>& buffers, const Start& start);
  void Poll(const Call& call, WaitFor what, Requests& requests);
  // Reduces all elements of all tensors in place.
  void Reduce(const std::vector<at::Tensor>& tensors, const c10d::ReduceOp& op);
  // Sums or averages `part` of the row over 2^k ranks.
  void ReduceByHalving(const Call& call, const TensorRow& row, Part part, MPI_Datatype type, bool average);
  // Exchanges tensors with a peer, all at the same time.
  void Swap(const Call& call, MPI_Datatype type, int peer, const std::vector<at::Tensor>& give,
            const std::vector<at::Tensor>& take);
  void Count(const Call& call);
  [[noreturn]] void Fail(const std::string& what, const std::string& why) const;

  const std::string purpose_;
  const std::chrono::seconds timeout_;
  const std::chrono::milliseconds awake_;  // how long this rank polls before it sleeps between polls
  MPI_Comm communicator_ = MPI_COMM_NULL;
  bool broken_ = false;       // a collective failed: the ranks may be at different collectives
  mutable std::mutex mutex_;  // guards traffic_
  TrafficCounters traffic_;
};

}  // namespace gan::distributed
