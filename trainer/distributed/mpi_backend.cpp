#include "trainer/distributed/mpi_backend.h"

#include <ATen/core/ivalue.h>
#include <ATen/ops/_foreach_copy.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>
#include <torch/csrc/distributed/c10d/Work.hpp>

#include <algorithm>
#include <bit>
#include <functional>
#include <utility>

namespace gan::distributed {

namespace {

// MPI 3 counts elements with an int, and for a buffer in flight the library allocates the same amount of memory again.
constexpr std::int64_t kChunkElements = std::int64_t{1} << 24;

// The size of the pieces in recursive halving. With this size the data from another rank is still in the cache when it
// is added: 15.6 MB between two ranks take 2.3 ms, and 2.6 ms in one piece.
constexpr std::int64_t kHalvedElements = std::int64_t{1} << 20;

// Below this size, the additional messages of halving cost more than the saved transfer.
constexpr std::int64_t kHalvingElements = 1 << 14;

// A c10d::Work that is already complete.
// c10d's callers wait for a Work or chain to its future. Both must find the result at once.
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
    : c10d::Backend(world.rank, world.size), calls_(world, std::move(purpose), timeout) {}

void MpiBackend::Reduce(const std::vector<at::Tensor>& tensors, const c10d::ReduceOp& op) {
  const TensorRow row(tensors);
  const MPI_Datatype type = TypeOf(tensors[0]);
  const Reduction reduction = ReductionOf(op);
  MpiCall call{"allreduce", ByteCount(tensors[0], row.size()),
               std::string(c10::toString(tensors[0].scalar_type())) + " " + reduction.name + SizesOf(tensors)};
  calls_.Meet(call);
  // Halving needs a power of two. It is used for sums only, because large tensors are gradients.
  const bool can_halve =
      reduction.operation == MPI_SUM && getSize() > 1 && std::has_single_bit(static_cast<unsigned>(getSize()));
  // All tensors are cut as one row, so small ones are sent together, and large ones in several pieces.
  ForEachChunk(row.size(), can_halve ? kHalvedElements : kChunkElements, [&](Part part) {
    call.bytes = ByteCount(tensors[0], part.size());
    if (can_halve && part.size() >= kHalvingElements) {
      ReduceByHalving(call, row, part, type, reduction.average);
      return calls_.Count(call);
    }
    const std::vector<at::Tensor> pieces = row.Pieces(part);
    if (pieces.empty()) return calls_.Count(call);
    // Several pieces are joined into one buffer, because MPI needs contiguous memory.
    at::Tensor joined = pieces.size() == 1 ? pieces[0] : at::cat(pieces);
    calls_.Complete(call, MpiCalls::WaitFor::kTransfer, {joined}, [&](MpiRequests& requests) {
      return MPI_Iallreduce(MPI_IN_PLACE, joined.mutable_data_ptr(), static_cast<int>(part.size()), type,
                            reduction.operation, calls_.communicator(), requests.New());
    });
    if (reduction.average) joined.div_(getSize());
    if (pieces.size() > 1) at::_foreach_copy_(pieces, CutLike(joined, pieces));
    calls_.Count(call);
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
  MpiCall call{"broadcast", ByteCount(tensor),
               std::string(c10::toString(tensor.scalar_type())) + " from rank " + std::to_string(root)};
  calls_.Meet(call);
  const TensorRow row({tensor});
  ForEachChunk(row.size(), kChunkElements, [&](Part part) {
    call.bytes = ByteCount(tensor, part.size());
    for (const at::Tensor& piece : row.Pieces(part)) {
      calls_.Complete(call, MpiCalls::WaitFor::kTransfer, tensors, [&](MpiRequests& requests) {
        return MPI_Ibcast(piece.mutable_data_ptr(), static_cast<int>(piece.numel()), type, root, calls_.communicator(),
                          requests.New());
      });
    }
    calls_.Count(call);
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
  const MpiCall call{"allgather", ByteCount(mine), c10::toString(mine.scalar_type())};
  calls_.Meet(call);
  calls_.Complete(call, MpiCalls::WaitFor::kTransfer, {mine, all}, [&](MpiRequests& requests) {
    return MPI_Iallgather(mine.const_data_ptr(), count, type, all.mutable_data_ptr(), count, type,
                          calls_.communicator(), requests.New());
  });
  calls_.Count(call);
  for (int rank = 0; rank < getSize(); ++rank) {
    at::Tensor& output = outputs.at(0).at(static_cast<std::size_t>(rank));
    output.copy_(all[rank].view(output.sizes()));
  }
  return c10::make_intrusive<DoneWork>(getRank(), c10d::OpType::ALLGATHER, outputs[0]);
}

// The exchange in Meet() is already a barrier.
c10::intrusive_ptr<c10d::Work> MpiBackend::barrier(const c10d::BarrierOptions& /*options*/) {
  const MpiCall call{"barrier", 0, ""};
  calls_.Meet(call);
  calls_.Count(call);
  return c10::make_intrusive<DoneWork>(getRank(), c10d::OpType::BARRIER, std::vector<at::Tensor>{});
}

}  // namespace gan::distributed
