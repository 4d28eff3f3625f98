#include "trainer/distributed/communicator.h"

#include <torch/types.h>

#include <torch/csrc/distributed/c10d/ProcessGroup.hpp>

#include <algorithm>

#include "trainer/distributed/cuda.h"
#include "trainer/distributed/mpi_backend.h"

namespace gan::distributed {

namespace {

using c10d::ProcessGroup;

c10d::ReduceOp ToC10d(ReduceOp op) {
  switch (op) {
    case ReduceOp::kSum:
      return c10d::ReduceOp::SUM;
    case ReduceOp::kAverage:
      return c10d::ReduceOp::AVG;
    case ReduceOp::kMax:
      return c10d::ReduceOp::MAX;
    case ReduceOp::kMin:
      return c10d::ReduceOp::MIN;
  }
  throw std::logic_error("unknown reduction");
}

// Texts travel as byte tensors, padded to a common length.
at::Tensor BytesOf(const std::string& text, std::int64_t padded) {
  at::Tensor tensor = at::zeros({padded}, at::kByte);
  std::ranges::copy(text, static_cast<char*>(tensor.mutable_data_ptr()));
  return tensor;
}

// The padding is removed by the text's own length.
std::string TextOf(const at::Tensor& tensor, std::int64_t length) {
  return {static_cast<const char*>(tensor.const_data_ptr()), static_cast<std::size_t>(length)};
}

}  // namespace

struct Communicator::Impl {
  World world;
  c10::intrusive_ptr<MpiBackend> mpi;
  c10::intrusive_ptr<ProcessGroup> group;
  std::uint64_t sent_by_gpu = 0;  // bytes
  std::string rendezvous;

  // A single rank has no NCCL backend and opens no listening socket.
  bool NothingToDo(const at::Tensor& tensor) const { return world.size == 1 && !tensor.is_cpu(); }
};

std::shared_ptr<Communicator> Communicator::Create(const World& world, const std::string& purpose,
                                                   const std::string& device, std::chrono::seconds timeout) {
  auto impl = std::make_unique<Impl>();
  impl->world = world;
  // Every communicator has an MPI backend, also on GPUs: control messages always use MPI.
  impl->mpi = c10::make_intrusive<MpiBackend>(world, purpose, timeout);
  impl->group = c10::make_intrusive<ProcessGroup>(world.rank, world.size);
  // CUSTOM, because BackendType::MPI means c10d's own backend, which LibTorch's wheels do not contain.
  impl->group->setBackend(c10::DeviceType::CPU, ProcessGroup::BackendType::CUSTOM, impl->mpi);
  auto communicator = std::shared_ptr<Communicator>(new Communicator(std::move(impl)));
  // After the MPI backend, which the ranks use to exchange the address of their meeting point.
  if (device == "cuda" && world.size > 1) {
    communicator->impl_->rendezvous = AddNcclBackend(*communicator, world, timeout);
  }
  return communicator;
}

Communicator::Communicator(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Communicator::~Communicator() = default;

int Communicator::rank() const { return impl_->world.rank; }
int Communicator::size() const { return impl_->world.size; }

void Communicator::AllReduce(at::Tensor& tensor, ReduceOp op) {
  if (impl_->NothingToDo(tensor)) return;
  // The MPI backend counts its own traffic; that of a GPU is counted here.
  if (!tensor.is_cpu()) CountSent(tensor.nbytes());
  std::vector<at::Tensor> tensors = {tensor};
  c10d::AllreduceOptions options;
  options.reduceOp = ToC10d(op);
  impl_->group->getBackend(tensor.device().type())->allreduce(tensors, options)->wait();
}

// One coalesced collective needs no buffer of the joint size.
void Communicator::AllReduce(std::vector<at::Tensor> tensors, ReduceOp op) {
  if (impl_->NothingToDo(tensors.at(0))) return;
  for (const at::Tensor& tensor : tensors) {
    if (!tensor.is_cpu()) CountSent(tensor.nbytes());
  }
  c10d::AllreduceCoalescedOptions options;
  options.reduceOp = ToC10d(op);
  impl_->group->getBackend(tensors.at(0).device().type())->allreduce_coalesced(tensors, options)->wait();
}

void Communicator::Broadcast(at::Tensor& tensor, int root) {
  if (impl_->NothingToDo(tensor)) return;
  std::vector<at::Tensor> tensors = {tensor};
  c10d::BroadcastOptions options;
  options.rootRank = root;
  impl_->group->getBackend(tensor.device().type())->broadcast(tensors, options)->wait();
}

// Two collectives: the lengths first, because all tensors of a gather must have the same size.
std::vector<std::string> Communicator::AllGather(const std::string& bytes) {
  const auto gather = [this](at::Tensor mine) {
    std::vector<at::Tensor> inputs = {mine};
    std::vector<std::vector<at::Tensor>> outputs(1);
    for (int rank = 0; rank < size(); ++rank) outputs[0].push_back(at::empty_like(mine));
    impl_->mpi->allgather(outputs, inputs)->wait();
    return outputs[0];
  };
  const auto lengths = gather(at::tensor(static_cast<std::int64_t>(bytes.size()), at::kLong).view({1}));
  std::int64_t longest = 1;
  // At least one byte, so that empty texts are not a special case.
  for (const at::Tensor& length : lengths) longest = std::max(longest, length.item<std::int64_t>());
  const auto texts = gather(BytesOf(bytes, longest));
  std::vector<std::string> all;
  for (std::size_t rank = 0; rank < texts.size(); ++rank) {
    all.push_back(TextOf(texts[rank], lengths[rank].item<std::int64_t>()));
  }
  return all;
}

// The length is sent first, because the other ranks must provide a tensor of the same size.
std::string Communicator::Broadcast(const std::string& bytes, int root) {
  at::Tensor length = at::tensor(static_cast<std::int64_t>(bytes.size()), at::kLong).view({1});
  std::vector<at::Tensor> lengths = {length};
  c10d::BroadcastOptions options;
  options.rootRank = root;
  impl_->mpi->broadcast(lengths, options)->wait();
  const auto count = length.item<std::int64_t>();
  std::vector<at::Tensor> texts = {rank() == root ? BytesOf(bytes, count) : at::zeros({count}, at::kByte)};
  impl_->mpi->broadcast(texts, options)->wait();
  return TextOf(texts[0], count);
}

// The minimum is 1 only if every rank contributes 1.
bool Communicator::AllAgree(bool mine) {
  at::Tensor agreed = at::tensor(mine ? 1 : 0, at::kInt).view({1});
  AllReduce(agreed, ReduceOp::kMin);
  return agreed.item<int>() == 1;
}

void Communicator::Barrier() { impl_->mpi->barrier()->wait(); }

TrafficCounters Communicator::traffic() const {
  TrafficCounters traffic = impl_->mpi->traffic();
  traffic.bytes += impl_->sent_by_gpu;
  return traffic;
}

double Communicator::wait_seconds() const { return impl_->mpi->wait_seconds(); }

void Communicator::CountSent(std::uint64_t bytes) { impl_->sent_by_gpu += bytes; }

const std::string& Communicator::rendezvous() const { return impl_->rendezvous; }

const c10::intrusive_ptr<c10d::ProcessGroup>& Communicator::process_group() const { return impl_->group; }

}  // namespace gan::distributed
