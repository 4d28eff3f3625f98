#pragma once

#include <ATen/core/Tensor.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <vector>

#include "trainer/distributed/communicator.h"
#include "trainer/distributed/mpi_api.h"

namespace gan::distributed {

// The collective that a rank is about to run.
struct MpiCall {
  const char* operation;
  std::uint64_t bytes;
  std::string how;  // further properties on which the ranks must agree: type, reduction, root

  std::string Name() const { return std::string(operation) + "/" + std::to_string(bytes); }
  std::string Text() const { return how.empty() ? Name() : Name() + " (" + how + ")"; }
};

// The pending MPI requests of one step of a collective.
class MpiRequests {
 public:
  MPI_Request* New() { return &all_.emplace_back(MPI_REQUEST_NULL); }  // valid until the next call
  // Sets `done` to whether all requests are complete. Returns the MPI error code of the first failed one.
  int Test(int* done);

 private:
  std::vector<MPI_Request> all_;
  std::vector<MPI_Status> states_;
};

// An MPI communicator whose collectives are compared before they run and waited for with a time-out. A waiting rank
// sleeps, so that ranks that share a core do not slow each other down. Every error is a CommunicationError that names
// rank, purpose, operation and size; after one, every later call fails too, because the ranks may be at different
// collectives. One thread at a time; the counters may be read from any thread.
class MpiCalls {
 public:
  using Start = std::function<int(MpiRequests&)>;
  enum class WaitFor { kPeers, kTransfer };

  // Collective over MPI_COMM_WORLD.
  MpiCalls(const World& world, std::string purpose, std::chrono::seconds timeout);

  MPI_Comm communicator() const { return communicator_; }
  // Returns when every rank has called. Fails unless all of them are about to run the same collective.
  void Meet(const MpiCall& call);
  // Starts nonblocking operations on `buffers` and waits until they are complete.
  void Complete(const MpiCall& call, WaitFor what, const std::vector<at::Tensor>& buffers, const Start& start);
  // Adds a completed call to the counters.
  void Count(const MpiCall& call);

  TrafficCounters traffic() const;
  double wait_seconds() const;

 private:
  [[noreturn]] void ReportMismatch(const MpiCall& call);
  void Poll(const MpiCall& call, WaitFor what, MpiRequests& requests);
  [[noreturn]] void Fail(const std::string& what, const std::string& why) const;

  const World world_;
  const std::string purpose_;
  const std::chrono::seconds timeout_;
  const std::chrono::milliseconds awake_;  // how long this rank polls before it sleeps between polls
  // Freeing a communicator is collective, but ranks may end in any order after an error; so it is left to MPI_Finalize.
  MPI_Comm communicator_ = MPI_COMM_NULL;
  bool broken_ = false;       // a collective failed: the ranks may be at different collectives
  mutable std::mutex mutex_;  // guards traffic_
  TrafficCounters traffic_;
};

}  // namespace gan::distributed
