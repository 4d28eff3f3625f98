#include "trainer/distributed/mpi_backend.h"
#include "trainer/distributed/collective_note.h"

#include <unistd.h>

#include <ATen/core/ivalue.h>
#include <ATen/ops/_foreach_copy.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <torch/csrc/distributed/c10d/Work.hpp>

#include <algorithm>
#include <bit>
#include <cstring>
#include <functional>
#include <thread>

namespace gan::distributed {

namespace {

using Clock = std::chrono::steady_clock;

// MPI 3 counts elements with an int, and a buffer in flight needs as much memory again inside the library.
constexpr std::int64_t kChunkElements = std::int64_t{1} << 24;

// The size of the pieces in recursive halving. With this size the data from another rank is still in the cache when it
// is added: 15.6 MB between two ranks take 2.3 ms, and 2.6 ms in one piece.
constexpr std::int64_t kHalvedElements = std::int64_t{1} << 20;

// The length of a call's description in an error about a mismatch.
constexpr std::int64_t kMismatchText = 96;

// Below this size, the additional messages of halving cost more than the saved transfer.
constexpr std::int64_t kHalvingElements = 1 << 14;

// Keeps memory that MPI may still read or write after a collective has failed until the process ends.
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

// A c10d::Work that is already complete.
class DoneWork : public c10d::Work {
 public:
  DoneWork(int rank, c10d::OpType type, std::vector<at::Tensor> result)
      : c10d::Work(rank, type), result_(std::move(result)) {
    future_ = c10::make_intrusive<c10::ivalue::Future>(c10::ListType::create(c10::TensorType::get()));
    future_->markCompleted(c10::IValue(result_));
    finish();
  }
  std::vector<at::Tensor> result() override { return result_; }
  c10::intrusive_ptr<c10::ivalue::Future> getFuture() override { return future_; }

 private:
  std::vector<at::Tensor> result_;
  c10::intrusive_ptr<c10::ivalue::Future> future_;
};

MPI_Datatype TypeOf(const at::Tensor& tensor) {
  switch (tensor.scalar_type()) {
    case at::kFloat:
      return MPI_FLOAT;
    case at::kDouble:
      return MPI_DOUBLE;
    case at::kLong:
      return MPI_INT64_T;
    case at::kInt:
      return MPI_INT32_T;
    case at::kByte:
      return MPI_UINT8_T;
    default:
      throw CommunicationError(std::string("MPI backend: no support for tensors of ") +
                               c10::toString(tensor.scalar_type()));
  }
}

struct Reduction {
  MPI_Op operation;
  const char* name;
  bool average = false;  // divide by the number of ranks afterwards
};

Reduction ReductionOf(const c10d::ReduceOp& op) {
  switch (static_cast<c10d::ReduceOp::RedOpType>(op)) {
    case c10d::ReduceOp::SUM:
      return {MPI_SUM, "sum"};
    case c10d::ReduceOp::AVG:
      return {MPI_SUM, "average", /*average=*/true};
    case c10d::ReduceOp::MAX:
      return {MPI_MAX, "max"};
    case c10d::ReduceOp::MIN:
      return {MPI_MIN, "min"};
    default:
      throw CommunicationError("MPI backend: only sum, average, max and min are reduced");
  }
}

std::uint64_t ByteCount(const at::Tensor& tensor, std::int64_t elements) {
  return static_cast<std::uint64_t>(elements) * tensor.element_size();
}
std::uint64_t ByteCount(const at::Tensor& tensor) { return ByteCount(tensor, tensor.numel()); }

// Elements are exchanged in memory order: every rank's tensor has the same layout, NCHW or NHWC.
void RequireDense(const at::Tensor& tensor) {
  if (!tensor.is_non_overlapping_and_dense() || !tensor.device().is_cpu()) {
    throw CommunicationError("MPI backend: tensors must be dense and on the CPU");
  }
}

// Counts the cores of the host, not the one to which this rank may be bound.
bool HasACoreEach(const World& world) { return world.local_size <= ::sysconf(_SC_NPROCESSORS_ONLN); }

// Describes several tensors, so that two lists with the same total size are not considered equal.
std::string SizesOf(const std::vector<at::Tensor>& tensors) {
  if (tensors.size() == 1) return "";
  std::string sizes;
  for (const at::Tensor& tensor : tensors) sizes += std::to_string(tensor.numel()) + " ";
  return " of " + std::to_string(tensors.size()) + " tensors, digest of sizes " +
         std::to_string(std::hash<std::string>{}(sizes));
}

at::Tensor& OnlyTensor(std::vector<at::Tensor>& tensors) {
  if (tensors.size() != 1) throw CommunicationError("MPI backend: one tensor per call");
  RequireDense(tensors[0]);
  return tensors[0];
}

// Calls body(part) for consecutive parts of at most `at_most` elements; once with an empty part if there are none.
template <typename Body>
void ForEachChunk(std::int64_t elements, std::int64_t at_most, const Body& body) {
  std::int64_t done = 0;
  do {
    const Part part = {done, std::min(done + at_most, elements)};
    body(part);
    done = part.end;
  } while (done < elements);
}

}  // namespace

MpiBackend::MpiBackend(const World& world, std::string purpose, std::chrono::seconds timeout)
    : c10d::Backend(world.rank, world.size),
      purpose_(std::move(purpose)),
      timeout_(timeout),
      awake_(HasACoreEach(world) ? 5 : 1) {
  if (MPI_Comm_dup(MPI_COMM_WORLD, &communicator_) != MPI_SUCCESS) Fail("communicator", "cannot be made");
  MPI_Comm_set_errhandler(communicator_, MPI_ERRORS_RETURN);
}

// Freeing a communicator is collective, but ranks may end in any order after an error; so it is left to MPI_Finalize.
MpiBackend::~MpiBackend() = default;

void MpiBackend::Fail(const std::string& what, const std::string& why) const {
  throw CommunicationError("rank " + std::to_string(getRank()) + " of " + std::to_string(getSize()) + ", " + purpose_ +
                           ", " + what + ": " + why);
}

// An all-reduce of a hash of the call's description: if its maximum and its minimum differ, so do the calls.
void MpiBackend::Meet(const Call& call) {
  if (broken_) Fail(call.Text(), "an earlier collective of this communicator has failed");
  if (getSize() == 1) return;
  const auto mine = static_cast<std::int64_t>(std::hash<std::string>{}(call.Text()) >> 2);
  at::Tensor extremes = at::tensor({mine, -mine}, at::kLong);
  auto* data = extremes.mutable_data_ptr<std::int64_t>();
  Complete(call, WaitFor::kPeers, {extremes}, [&](Requests& requests) {
    return MPI_Iallreduce(MPI_IN_PLACE, data, 2, MPI_INT64_T, MPI_MAX, communicator_, requests.New());
  });
  if (data[0] != -data[1]) ReportMismatch(call);  // maximum and minimum differ, and all ranks see it
}

// Gathers the descriptions of all ranks for the error message. The gather uses no further check, since it is the same
// on every rank.
void MpiBackend::ReportMismatch(const Call& call) {
  at::Tensor texts = at::zeros({getSize() + 1, kMismatchText}, at::kByte);
  auto* all = static_cast<char*>(texts.mutable_data_ptr());
  char* mine = all + getSize() * kMismatchText;
  call.Text().copy(mine, kMismatchText - 1);
  Complete(call, WaitFor::kPeers, {texts}, [&](Requests& requests) {
    return MPI_Iallgather(mine, kMismatchText, MPI_CHAR, all, kMismatchText, MPI_CHAR, communicator_, requests.New());
  });
  broken_ = true;
  int other = 0;
  while (other + 1 < getSize() && std::strcmp(all + other * kMismatchText, mine) == 0) ++other;
  Fail(call.Text(), "rank " + std::to_string(other) + " calls " + (all + other * kMismatchText) + " here");
}

void MpiBackend::Complete(const Call& call, WaitFor what, const std::vector<at::Tensor>& buffers, const Start& start) {
  const Clock::time_point began = Clock::now();
  const InCollective note(purpose_.c_str(), call.operation);
  Requests requests;
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

int MpiBackend::Requests::Test(int* done) {
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
void MpiBackend::Poll(const Call& call, WaitFor what, Requests& requests) {
  constexpr int kSpins = 100;  // the other ranks are usually only microseconds behind
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
      Fail(call.Text(), "no answer from the other ranks for " + std::to_string(timeout_.count()) +
                            " s; one of them has probably died or hangs");
    }
    std::this_thread::sleep_for(pause);
    pause = std::min(pause * 2, std::chrono::microseconds(200));
  }
}

void MpiBackend::Count(const Call& call) {
  const std::lock_guard lock(mutex_);
  ++traffic_.collectives;
  traffic_.bytes += call.bytes;
  ++traffic_.calls[call.Name()];
}

void MpiBackend::Reduce(const std::vector<at::Tensor>& tensors, const c10d::ReduceOp& op) {
  const TensorRow row(tensors);
  const MPI_Datatype type = TypeOf(tensors[0]);
  const Reduction reduction = ReductionOf(op);
  Call call{"allreduce", ByteCount(tensors[0], row.size()),
            std::string(c10::toString(tensors[0].scalar_type())) + " " + reduction.name + SizesOf(tensors)};
  Meet(call);
  // Halving needs a power of two. It is used for sums only, because large tensors are gradients.
  const bool can_halve =
      reduction.operation == MPI_SUM && getSize() > 1 && std::has_single_bit(static_cast<unsigned>(getSize()));
  ForEachChunk(row.size(), can_halve ? kHalvedElements : kChunkElements, [&](Part part) {
    call.bytes = ByteCount(tensors[0], part.size());
    if (can_halve && part.size() >= kHalvingElements) {
      ReduceByHalving(call, row, part, type, reduction.average);
      return Count(call);
    }
    const std::vector<at::Tensor> pieces = row.Pieces(part);
    if (pieces.empty()) return Count(call);
    // Several pieces are joined into one buffer, because MPI needs contiguous memory.
    at::Tensor joined = pieces.size() == 1 ? pieces[0] : at::cat(pieces);
    Complete(call, WaitFor::kTransfer, {joined}, [&](Requests& requests) {
      return MPI_Iallreduce(MPI_IN_PLACE, joined.mutable_data_ptr(), static_cast<int>(part.size()), type,
                            reduction.operation, communicator_, requests.New());
    });
    if (reduction.average) joined.div_(getSize());
    if (pieces.size() > 1) at::_foreach_copy_(pieces, CutLike(joined, pieces));
    Count(call);
  });
}

c10::intrusive_ptr<c10d::Work> MpiBackend::allreduce(std::vector<at::Tensor>& tensors,
                                                     const c10d::AllreduceOptions& options) {
  Reduce({OnlyTensor(tensors)}, options.reduceOp);
  return c10::make_intrusive<DoneWork>(getRank(), c10d::OpType::ALLREDUCE, tensors);
}

c10::intrusive_ptr<c10d::Work> MpiBackend::allreduce_coalesced(std::vector<at::Tensor>& tensors,
                                                               const c10d::AllreduceCoalescedOptions& options) {
  if (tensors.empty()) throw CommunicationError("MPI backend: nothing to reduce");
  for (const at::Tensor& tensor : tensors) {
    RequireDense(tensor);
    if (tensor.scalar_type() != tensors[0].scalar_type()) {
      throw CommunicationError("MPI backend: tensors that are reduced together must be of one type");
    }
  }
  Reduce(tensors, options.reduceOp);
  return c10::make_intrusive<DoneWork>(getRank(), c10d::OpType::ALLREDUCE_COALESCED, tensors);
}

c10::intrusive_ptr<c10d::Work> MpiBackend::broadcast(std::vector<at::Tensor>& tensors,
                                                     const c10d::BroadcastOptions& options) {
  at::Tensor& tensor = OnlyTensor(tensors);
  const MPI_Datatype type = TypeOf(tensor);
  const int root = static_cast<int>(options.rootRank);
  Call call{"broadcast", ByteCount(tensor),
            std::string(c10::toString(tensor.scalar_type())) + " from rank " + std::to_string(root)};
  Meet(call);
  const TensorRow row({tensor});
  ForEachChunk(row.size(), kChunkElements, [&](Part part) {
    call.bytes = ByteCount(tensor, part.size());
    for (const at::Tensor& piece : row.Pieces(part)) {
      Complete(call, WaitFor::kTransfer, tensors, [&](Requests& requests) {
        return MPI_Ibcast(piece.mutable_data_ptr(), static_cast<int>(piece.numel()), type, root, communicator_,
                          requests.New());
      });
    }
    Count(call);
  });
  return c10::make_intrusive<DoneWork>(getRank(), c10d::OpType::BROADCAST, tensors);
}

c10::intrusive_ptr<c10d::Work> MpiBackend::allgather(std::vector<std::vector<at::Tensor>>& outputs,
                                                     std::vector<at::Tensor>& inputs,
                                                     const c10d::AllgatherOptions& /*options*/) {
  const at::Tensor& mine = OnlyTensor(inputs);
  const MPI_Datatype type = TypeOf(mine);
  if (mine.numel() > kChunkElements) throw CommunicationError("MPI backend: allgather of too large a tensor");
  at::Tensor all = at::empty({getSize(), mine.numel()}, mine.options());
  const int count = static_cast<int>(mine.numel());
  const Call call{"allgather", ByteCount(mine), c10::toString(mine.scalar_type())};
  Meet(call);
  Complete(call, WaitFor::kTransfer, {mine, all}, [&](Requests& requests) {
    return MPI_Iallgather(mine.const_data_ptr(), count, type, all.mutable_data_ptr(), count, type, communicator_,
                          requests.New());
  });
  Count(call);
  for (int rank = 0; rank < getSize(); ++rank) {
    at::Tensor& output = outputs.at(0).at(static_cast<std::size_t>(rank));
    output.copy_(all[rank].view(output.sizes()));
  }
  return c10::make_intrusive<DoneWork>(getRank(), c10d::OpType::ALLGATHER, outputs[0]);
}

// The exchange in Meet() is already a barrier.
c10::intrusive_ptr<c10d::Work> MpiBackend::barrier(const c10d::BarrierOptions& /*options*/) {
  const Call call{"barrier", 0, ""};
  Meet(call);
  Count(call);
  return c10::make_intrusive<DoneWork>(getRank(), c10d::OpType::BARRIER, std::vector<at::Tensor>{});
}

double MpiBackend::wait_seconds() const {
  const std::lock_guard lock(mutex_);
  return traffic_.wait_seconds;
}

TrafficCounters MpiBackend::traffic() const {
  const std::lock_guard lock(mutex_);
  return traffic_;
}

}  // namespace gan::distributed
