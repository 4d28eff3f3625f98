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

// c10d over MPI for tensors on the CPU, each backend on an MPI communicator of its own. Collectives run on the calling
// thread and are complete when the call returns: on a CPU there is no spare core to overlap them with
// (docs/decisions/0004-collectives-inline.md). Before any data moves the ranks meet and compare what each is about to
// do, so a mismatch is an error on every rank and never a wrong sum. While it waits for them it sleeps, so that ranks
// that share a core do not take it from each other.
// Sums are bit-equal on all ranks and, with Open MPI, the same in every run of one world size: an in-place
// MPI_Iallreduce is a binomial tree to rank 0 and back, whatever the size of the buffer. Large sums among 2^k ranks are
// made by recursive halving, in the same order.
// Throws CommunicationError naming rank, operation and size, also after the time-out; the backend is of no use after
// that. One thread at a time.
class MpiBackend : public c10d::Backend {
 public:
  // Collective over MPI_COMM_WORLD.
  MpiBackend(const World& world, std::string purpose, std::chrono::seconds timeout);
  ~MpiBackend() override;

  const std::string getBackendName() const override { return "gan_mpi"; }
  c10::intrusive_ptr<c10d::Work> allreduce(std::vector<at::Tensor>& tensors,
                                           const c10d::AllreduceOptions& options = {}) override;
  // As one sum over all elements of all tensors, of one type. Large ones are exchanged where they lie.
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
  // One collective as this rank understands it.
  struct Call {
    const char* operation;
    std::uint64_t bytes;
    std::string how;  // what must agree besides: type, reduction, root

    std::string Name() const { return std::string(operation) + "/" + std::to_string(bytes); }
    std::string Text() const { return how.empty() ? Name() : Name() + " (" + how + ")"; }
  };
  // Requests of one step of a collective.
  class Requests {
   public:
    MPI_Request* New() { return &all_.emplace_back(MPI_REQUEST_NULL); }  // valid until the next call
    // Whether all are done, or the code of the first error.
    int Test(int* done);

   private:
    std::vector<MPI_Request> all_;
    std::vector<MPI_Status> states_;
  };
  using Start = std::function<int(Requests&)>;
  enum class WaitFor { kPeers, kTransfer };

  // Returns when every rank has called, and only if all of them called the same.
  void Meet(const Call& call);
  [[noreturn]] void ReportMismatch(const Call& call);
  // Starts nonblocking operations on `buffers` and waits for their end.
  void Complete(const Call& call, WaitFor what, const std::vector<at::Tensor>& buffers, const Start& start);
  void Poll(const Call& call, WaitFor what, Requests& requests);
  // All elements of all tensors, in place.
  void Reduce(const std::vector<at::Tensor>& tensors, const c10d::ReduceOp& op);
  // Sums or averages `part` of the row over 2^k ranks.
  void ReduceByHalving(const Call& call, const TensorRow& row, Part part, MPI_Datatype type, bool average);
  // Tensors to a peer and from it, all at once.
  void Swap(const Call& call, MPI_Datatype type, int peer, const std::vector<at::Tensor>& give,
            const std::vector<at::Tensor>& take);
  void Count(const Call& call);
  [[noreturn]] void Fail(const std::string& what, const std::string& why) const;

  const std::string purpose_;
  const std::chrono::seconds timeout_;
  const std::chrono::milliseconds awake_;  // how long this rank polls for the others before it sleeps between polls
  MPI_Comm communicator_ = MPI_COMM_NULL;
  bool broken_ = false;       // a collective failed: the ranks may no longer be at the same place
  mutable std::mutex mutex_;  // guards traffic_
  TrafficCounters traffic_;
};

}  // namespace gan::distributed
