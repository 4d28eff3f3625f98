#include "trainer/run/checkpoint_state.h"

#include <algorithm>
#include <cstring>
#include <map>
#include <set>
#include <string>

#include "storage/errors.h"
#include "trainer/step/device_work.h"

namespace gan::run {

namespace {

// Only the types that networks, optimizers and counters use.
std::string TypeName(torch::ScalarType type) {
  switch (type) {
    case torch::kFloat:
      return "F32";
    case torch::kDouble:
      return "F64";
    case torch::kLong:
      return "I64";
    default:
      throw std::logic_error(std::string("no checkpoint type for ") + torch::toString(type));
  }
}

std::size_t ByteCount(const torch::Tensor& tensor) {
  return static_cast<std::size_t>(tensor.numel()) * tensor.element_size();
}

// Reorders the elements in place. Afterwards the memory is in row-major order, although the tensor's strides say
// otherwise.
void MakeRowMajor(const torch::Tensor& tensor) {
  torch::NoGradGuard no_grad;
  // One tensor at a time: a second copy of all of them would double the memory of the snapshot.
  const torch::Tensor ordered = tensor.contiguous();
  std::memcpy(tensor.mutable_data_ptr(), ordered.const_data_ptr(), ByteCount(tensor));
}

// Before networks could grow, an optimizer counted its steps once for all parameters.
bool IsCommonStepCount(const checkpoint::OwnedTensor& source, const torch::Tensor& target) {
  return source.name.ends_with("_adam.steps") && source.shape == std::vector<std::int64_t>{1} && target.dim() == 1 &&
         source.dtype == TypeName(target.scalar_type());
}

void CopyFrom(const checkpoint::OwnedTensor& source, const torch::Tensor& target, const std::filesystem::path& folder) {
  const bool fits = source.dtype == TypeName(target.scalar_type()) && source.shape == target.sizes().vec();
  if (!fits && !IsCommonStepCount(source, target)) {
    throw DataError(folder, "tensor " + source.name + " has another shape or type than the network");
  }
  // Copied through a temporary tensor, because the target may be on a GPU or in channels-last order.
  torch::Tensor loaded = torch::empty(source.shape, target.options().device(torch::kCPU));
  std::memcpy(loaded.mutable_data_ptr(), source.data.data(), source.data.size());
  // A single count of an older checkpoint is broadcast to all parameters here.
  torch::Tensor(target).copy_(loaded);
}

}  // namespace

// A copy has the strides of its tensor, so that copying needs no reordering.
Snapshot::Snapshot(const model::NamedTensors& state) {
  for (const auto& [name, tensor] : state) {
    // Copies from a GPU to page-locked memory are several times as fast.
    const auto options = torch::TensorOptions().dtype(tensor.scalar_type()).pinned_memory(!tensor.is_cpu());
    copies_.push_back(torch::empty_strided(tensor.sizes(), tensor.strides(), options));
    const torch::Tensor& copy = copies_.back();
    if (!copy.is_non_overlapping_and_dense()) throw std::logic_error("a snapshot of a tensor with gaps: " + name);
    views_.push_back({.name = name,
                      .dtype = TypeName(copy.scalar_type()),
                      .shape = copy.sizes().vec(),
                      .data = {static_cast<const std::byte*>(copy.const_data_ptr()), ByteCount(copy)}});
    if (!copy.is_contiguous()) views_.back().settle = [copy] { MakeRowMajor(copy); };
  }
  Update(state);
}

void Snapshot::Update(const model::NamedTensors& state) {
  torch::NoGradGuard no_grad;
  if (!Fits(state)) throw std::logic_error("a snapshot of other tensors than before");
  for (std::size_t i = 0; i < state.size(); ++i) copies_[i].copy_(state[i].second, /*non_blocking=*/true);
  // The copies are asynchronous, and training may change the tensors only after they are complete.
  const torch::Device device = state.empty() ? torch::kCPU : state[0].second.device();
  if (!device.is_cpu()) step::CurrentStream(device).synchronize();
}

bool Snapshot::Fits(const model::NamedTensors& state) const {
  return std::ranges::equal(state, copies_, [](const auto& item, const torch::Tensor& copy) {
    return item.second.sizes() == copy.sizes() && item.second.strides() == copy.strides();
  });
}

void RestoreSome(const checkpoint::Checkpoint& saved, const model::NamedTensors& state) {
  torch::NoGradGuard no_grad;
  std::map<std::string, const checkpoint::OwnedTensor*> by_name;
  for (const checkpoint::OwnedTensor& tensor : saved.tensors) by_name[tensor.name] = &tensor;
  for (const auto& [name, target] : state) {
    const auto found = by_name.find(name);
    if (found == by_name.end()) throw DataError(saved.folder, "tensor " + name + " is missing");
    CopyFrom(*found->second, target, saved.folder);
  }
}

// A tensor that the run does not have means that the checkpoint belongs to another network.
void RestoreAll(const checkpoint::Checkpoint& saved, const model::NamedTensors& state) {
  RestoreSome(saved, state);
  std::set<std::string> expected;
  for (const auto& item : state) expected.insert(item.first);
  for (const checkpoint::OwnedTensor& tensor : saved.tensors) {
    if (!expected.contains(tensor.name))
      throw DataError(saved.folder, "tensor " + tensor.name + " does not belong to this run's networks");
  }
}

checkpoint::RankGroup RankGroupOf(distributed::Communicator& control) {
  return {.rank = control.rank(), .size = control.size(), .all_gather = [&control](const std::string& mine) {
            return control.AllGather(mine);
          }};
}

}  // namespace gan::run
