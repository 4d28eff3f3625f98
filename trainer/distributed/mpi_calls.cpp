#include "trainer/distributed/mpi_calls.h"

#include <unistd.h>

#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <cstring>
#include <functional>
#include <thread>
#include <utility>

#include "trainer/distributed/collective_note.h"

namespace gan::distributed {

namespace {

using Clock = std::chrono::steady_clock;

// The length of a call's description in an error about a mismatch.
constexpr std::int64_t kMismatchText = 96;

// Keeps memory that MPI may still read or write after a collective has failed until the process ends.
// Freed memory would be given to another tensor, into which the late message of a peer is then written.
void Abandon(const std::vector<at::Tensor>& buffers) {
  static std::mutex mutex;
  static std::vector<at::Tensor> abandoned;
  const std::lock_guard lock(mutex);
  abandoned.insert(abandoned.end(), buffers.begin(), buffers.end());
}

std::string MpiErrorText(int error) {
  char text[MPI_MAX_ERROR_STRING] = {};
  int length = 0;
  MPI_Error_string(error, text, &length);
  return text;
}

// Counts the cores of the host, not the one to which this rank may be bound.
bool HasACoreEach(const World& world) { return world.local_size <= ::sysconf(_SC_NPROCESSORS_ONLN); }

}  // namespace

MpiCalls::MpiCalls(const World& world, std::string purpose, std::chrono::seconds timeout)
    : world_(world), purpose_(std::move(purpose)), timeout_(timeout), awake_(HasACoreEach(world) ? 5 : 1) {
  if (MPI_Comm_dup(MPI_COMM_WORLD, &communicator_) != MPI_SUCCESS) Fail("communicator", "cannot be made");
  MPI_Comm_set_errhandler(communicator_, MPI_ERRORS_RETURN);
}

void MpiCalls::Fail(const std::string& what, const std::string& why) const {
  throw CommunicationError("rank " + std::to_string(world_.rank) + " of " + std::to_string(world_.size) + ", " +
                           purpose_ + ", " + what + ": " + why);
}

// An all-reduce of a hash of the call's description: if its maximum and its minimum differ, so do the calls.
void MpiCalls::Meet(const MpiCall& call) {
  if (broken_) Fail(call.Text(), "an earlier collective of this communicator has failed");
  if (world_.size == 1) return;
  // Two bits less, so that the number and its negative both fit. One maximum over {x, -x} gives the maximum and the
  // minimum.
  const auto mine = static_cast<std::int64_t>(std::hash<std::string>{}(call.Text()) >> 2);
  at::Tensor extremes = at::tensor({mine, -mine}, at::kLong);
  auto* data = extremes.mutable_data_ptr<std::int64_t>();
  Complete(call, WaitFor::kPeers, {extremes}, [&](MpiRequests& requests) {
    return MPI_Iallreduce(MPI_IN_PLACE, data, 2, MPI_INT64_T, MPI_MAX, communicator_, requests.New());
  });
  if (data[0] != -data[1]) ReportMismatch(call);  // maximum and minimum differ, and all ranks see it
}

// Gathers the descriptions of all ranks for the error message. The gather uses no further check, since it is the same
// on every rank.
void MpiCalls::ReportMismatch(const MpiCall& call) {
  at::Tensor texts = at::zeros({world_.size + 1, kMismatchText}, at::kByte);
  auto* all = static_cast<char*>(texts.mutable_data_ptr());
  char* mine = all + world_.size * kMismatchText;
  call.Text().copy(mine, kMismatchText - 1);
  Complete(call, WaitFor::kPeers, {texts}, [&](MpiRequests& requests) {
    return MPI_Iallgather(mine, kMismatchText, MPI_CHAR, all, kMismatchText, MPI_CHAR, communicator_, requests.New());
  });
  broken_ = true;
  int other = 0;
  while (other + 1 < world_.size && std::strcmp(all + other * kMismatchText, mine) == 0) ++other;
  Fail(call.Text(), "rank " + std::to_string(other) + " calls " + (all + other * kMismatchText) + " here");
}

void MpiCalls::Complete(const MpiCall& call, WaitFor what, const std::vector<at::Tensor>& buffers, const Start& start) {
  const Clock::time_point began = Clock::now();
  const InCollective note(purpose_.c_str(), call.operation);
  MpiRequests requests;
  try {
    if (const int error = start(requests); error != MPI_SUCCESS) Fail(call.Text(), MpiErrorText(error));
    Poll(call, what, requests);
    // MPI may still use the buffers, so they must not be freed.
  } catch (const CommunicationError&) {
    broken_ = true;
    Abandon(buffers);
    throw;
  }
  const std::lock_guard lock(mutex_);
  traffic_.wait_seconds += std::chrono::duration<double>(Clock::now() - began).count();
}

int MpiRequests::Test(int* done) {
  states_.resize(all_.size());
  const int error = MPI_Testall(static_cast<int>(all_.size()), all_.data(), done, states_.data());
  if (error != MPI_ERR_IN_STATUS) return error;
  for (const MPI_Status& state : states_) {
    if (state.MPI_ERROR != MPI_SUCCESS && state.MPI_ERROR != MPI_ERR_PENDING) return state.MPI_ERROR;
  }
  return error;
}

// Waiting for a peer that is still computing eventually sleeps: waking up costs a tenth of a millisecond, which two
// ranks with a core each need not pay, because they are never far apart. A transfer only yields: it progresses only
// inside MPI_Testall, and with sleeps between the pieces 64 MB took three times as long.
void MpiCalls::Poll(const MpiCall& call, WaitFor what, MpiRequests& requests) {
  constexpr int kSpins = 100;  // the other ranks are usually only microseconds behind
  // A transfer that takes more than a second waits for a peer that has stopped, and may sleep too.
  const auto awake = what == WaitFor::kPeers ? awake_ : std::chrono::milliseconds(1000);
  const Clock::time_point start = Clock::now();
  auto pause = std::chrono::microseconds(20);
  for (std::uint64_t polls = 0;; ++polls) {
    int done = 0;
    if (const int error = requests.Test(&done); error != MPI_SUCCESS) {
      Fail(call.Text(), MpiErrorText(error));
    }
    if (done != 0) return;
    if (polls < kSpins) continue;
    const auto waited = Clock::now() - start;
    if (waited < awake) {
      std::this_thread::yield();
      continue;
    }
    if (waited > timeout_) {
      NoteSilence();
      Fail(call.Text(), "no answer from the other ranks for " + std::to_string(timeout_.count()) +
                            " s; one of them has probably died or hangs");
    }
    // Doubling keeps short waits short and long ones cheap.
    std::this_thread::sleep_for(pause);
    pause = std::min(pause * 2, std::chrono::microseconds(200));
  }
}

void MpiCalls::Count(const MpiCall& call) {
  const std::lock_guard lock(mutex_);
  ++traffic_.collectives;
  traffic_.bytes += call.bytes;
  ++traffic_.calls[call.Name()];
}

double MpiCalls::wait_seconds() const {
  const std::lock_guard lock(mutex_);
  return traffic_.wait_seconds;
}

TrafficCounters MpiCalls::traffic() const {
  const std::lock_guard lock(mutex_);
  return traffic_;
}

}  // namespace gan::distributed
