#include "trainer/distributed/mpi_backend.h"

#include <ATen/core/ivalue.h>
#include <ATen/ops/tensor.h>
#include <torch/csrc/distributed/c10d/Work.hpp>

#include <algorithm>
#include <thread>

namespace gan::distributed {

namespace {

using Clock = std::chrono::steady_clock;

// A count in MPI 3 is an int, and a buffer in flight costs as much again inside the library.
constexpr std::int64_t kChunkElements = std::int64_t{1} << 24;

// Work that was complete when it was made.
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

MPI_Op OperationOf(const c10d::ReduceOp& op) {
  switch (static_cast<c10d::ReduceOp::RedOpType>(op)) {
    case c10d::ReduceOp::SUM:
      return MPI_SUM;
    case c10d::ReduceOp::MAX:
      return MPI_MAX;
    case c10d::ReduceOp::MIN:
      return MPI_MIN;
    default:
      throw CommunicationError("MPI backend: only sum, max and min are reduced");
  }
}

std::uint64_t ByteCount(const at::Tensor& tensor) {
  return static_cast<std::uint64_t>(tensor.numel()) * tensor.element_size();
}

at::Tensor& OnlyTensor(std::vector<at::Tensor>& tensors) {
  if (tensors.size() != 1) throw CommunicationError("MPI backend: one tensor a call");
  if (!tensors[0].is_contiguous() || !tensors[0].device().is_cpu()) {
    throw CommunicationError("MPI backend: tensors must be contiguous and on the CPU");
  }
  return tensors[0];
}

// Calls body(pointer, elements) for pieces small enough for MPI.
template <typename Body>
void ForEachChunk(const at::Tensor& tensor, const Body& body) {
  auto* data = static_cast<std::byte*>(tensor.mutable_data_ptr());
  for (std::int64_t done = 0; done < tensor.numel(); done += kChunkElements) {
    const std::int64_t count = std::min(kChunkElements, tensor.numel() - done);
    body(data + static_cast<std::size_t>(done) * tensor.element_size(), static_cast<int>(count));
  }
}

}  // namespace

MpiBackend::MpiBackend(const World& world, std::string purpose, std::chrono::seconds timeout)
    : c10d::Backend(world.rank, world.size), purpose_(std::move(purpose)), timeout_(timeout) {
  if (MPI_Comm_dup(MPI_COMM_WORLD, &communicator_) != MPI_SUCCESS) Fail("communicator", "cannot be made");
  MPI_Comm_set_errhandler(communicator_, MPI_ERRORS_RETURN);
}

// Freeing a communicator is collective; ranks may end in any order after an error, so it is left to MPI_Finalize.
MpiBackend::~MpiBackend() = default;

void MpiBackend::Fail(const std::string& what, const std::string& why) const {
  throw CommunicationError("rank " + std::to_string(getRank()) + " of " + std::to_string(getSize()) + ", " + purpose_ +
                           ", " + what + ": " + why);
}

void MpiBackend::Wait(MPI_Request& request, const std::string& what) {
  const Clock::time_point start = Clock::now();
  auto pause = std::chrono::microseconds(5);
  for (std::uint64_t polls = 0;; ++polls) {
    int done = 0;
    if (MPI_Test(&request, &done, MPI_STATUS_IGNORE) != MPI_SUCCESS) Fail(what, "MPI reports an error");
    if (done != 0) return;
    if (polls < 200) continue;  // the other ranks are usually a few microseconds away
    if (polls < 400) {
      std::this_thread::yield();
      continue;
    }
    if (Clock::now() - start > timeout_) {
      Fail(what, "no answer from the other ranks for " + std::to_string(timeout_.count()) +
                     " s; one of them has probably died or hangs");
    }
    std::this_thread::sleep_for(pause);
    pause = std::min(pause * 2, std::chrono::microseconds(200));
  }
}

void MpiBackend::Run(const char* operation, std::uint64_t bytes, const Start& start) {
  const std::string what = std::string(operation) + "/" + std::to_string(bytes);
  const Clock::time_point began = Clock::now();
  MPI_Request request = MPI_REQUEST_NULL;
  if (start(&request) != MPI_SUCCESS) Fail(what, "MPI cannot start it");
  Wait(request, what);
  const std::lock_guard lock(mutex_);
  ++traffic_.collectives;
  traffic_.bytes += bytes;
  traffic_.wait_seconds += std::chrono::duration<double>(Clock::now() - began).count();
  ++traffic_.calls[what];
}

c10::intrusive_ptr<c10d::Work> MpiBackend::allreduce(std::vector<at::Tensor>& tensors,
                                                     const c10d::AllreduceOptions& options) {
  at::Tensor& tensor = OnlyTensor(tensors);
  const MPI_Datatype type = TypeOf(tensor);
  const MPI_Op operation = OperationOf(options.reduceOp);
  ForEachChunk(tensor, [&](std::byte* data, int count) {
    Run("allreduce", static_cast<std::uint64_t>(count) * tensor.element_size(), [&](MPI_Request* request) {
      return MPI_Iallreduce(MPI_IN_PLACE, data, count, type, operation, communicator_, request);
    });
  });
  return c10::make_intrusive<DoneWork>(getRank(), c10d::OpType::ALLREDUCE, tensors);
}

c10::intrusive_ptr<c10d::Work> MpiBackend::broadcast(std::vector<at::Tensor>& tensors,
                                                     const c10d::BroadcastOptions& options) {
  at::Tensor& tensor = OnlyTensor(tensors);
  const MPI_Datatype type = TypeOf(tensor);
  ForEachChunk(tensor, [&](std::byte* data, int count) {
    Run("broadcast", static_cast<std::uint64_t>(count) * tensor.element_size(), [&](MPI_Request* request) {
      return MPI_Ibcast(data, count, type, static_cast<int>(options.rootRank), communicator_, request);
    });
  });
  return c10::make_intrusive<DoneWork>(getRank(), c10d::OpType::BROADCAST, tensors);
}

c10::intrusive_ptr<c10d::Work> MpiBackend::allgather(std::vector<std::vector<at::Tensor>>& outputs,
                                                     std::vector<at::Tensor>& inputs,
                                                     const c10d::AllgatherOptions& /*options*/) {
  const at::Tensor& mine = OnlyTensor(inputs);
  if (mine.numel() > kChunkElements) throw CommunicationError("MPI backend: allgather of too large a tensor");
  at::Tensor all = at::empty({getSize(), mine.numel()}, mine.options());
  const int count = static_cast<int>(mine.numel());
  Run("allgather", ByteCount(mine), [&](MPI_Request* request) {
    return MPI_Iallgather(mine.const_data_ptr(), count, TypeOf(mine), all.mutable_data_ptr(), count, TypeOf(mine),
                          communicator_, request);
  });
  for (int rank = 0; rank < getSize(); ++rank) {
    at::Tensor& output = outputs.at(0).at(static_cast<std::size_t>(rank));
    output.copy_(all[rank].view(output.sizes()));
  }
  return c10::make_intrusive<DoneWork>(getRank(), c10d::OpType::ALLGATHER, outputs[0]);
}

c10::intrusive_ptr<c10d::Work> MpiBackend::barrier(const c10d::BarrierOptions& /*options*/) {
  Run("barrier", 0, [&](MPI_Request* request) { return MPI_Ibarrier(communicator_, request); });
  return c10::make_intrusive<DoneWork>(getRank(), c10d::OpType::BARRIER, std::vector<at::Tensor>{});
}

TrafficCounters MpiBackend::traffic() const {
  const std::lock_guard lock(mutex_);
  return traffic_;
}

}  // namespace gan::distributed
