#include "trainer/run/checkpoint_state.h"

#include <cstring>
#include <map>
#include <set>
#include <string>

#include "storage/errors.h"

namespace gan::run {

namespace {

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

// Until the first growth an optimizer counted its steps once for all parameters.
bool IsCommonStepCount(const checkpoint::OwnedTensor& source, const torch::Tensor& target) {
  return source.name.ends_with("_adam.steps") && source.shape == std::vector<std::int64_t>{1} && target.dim() == 1 &&
         source.dtype == TypeName(target.scalar_type());
}

void CopyFrom(const checkpoint::OwnedTensor& source, const torch::Tensor& target, const std::filesystem::path& folder) {
  const bool fits = source.dtype == TypeName(target.scalar_type()) && source.shape == target.sizes().vec();
  if (!fits && !IsCommonStepCount(source, target)) {
    throw DataError(folder, "tensor " + source.name + " has another shape or type than the network");
  }
  torch::Tensor loaded = torch::empty(source.shape, target.options().device(torch::kCPU));
  std::memcpy(loaded.mutable_data_ptr(), source.data.data(), source.data.size());
  torch::Tensor(target).copy_(loaded);
}

}  // namespace

Snapshot::Snapshot(const model::NamedTensors& state) {
  for (const auto& [name, tensor] : state) {
    copies_.push_back(torch::empty(tensor.sizes(), torch::TensorOptions().dtype(tensor.scalar_type())));
    const torch::Tensor& copy = copies_.back();
    views_.push_back({.name = name,
                      .dtype = TypeName(copy.scalar_type()),
                      .shape = copy.sizes().vec(),
                      .data = {static_cast<const std::byte*>(copy.const_data_ptr()), ByteCount(copy)}});
  }
  Update(state);
}

void Snapshot::Update(const model::NamedTensors& state) {
  torch::NoGradGuard no_grad;
  if (state.size() != copies_.size()) throw std::logic_error("a snapshot of other tensors than before");
  for (std::size_t i = 0; i < state.size(); ++i) copies_[i].copy_(state[i].second);
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

void RestoreAll(const checkpoint::Checkpoint& saved, const model::NamedTensors& state) {
  RestoreSome(saved, state);
  std::set<std::string> expected;
  for (const auto& item : state) expected.insert(item.first);
  for (const checkpoint::OwnedTensor& tensor : saved.tensors) {
    if (!expected.contains(tensor.name)) throw DataError(saved.folder, "tensor " + tensor.name + " is not of this run");
  }
}

checkpoint::Ranks RanksOf(distributed::Communicator& control) {
  return {.rank = control.rank(), .size = control.size(), .all_gather = [&control](const std::string& mine) {
            return control.AllGather(mine);
          }};
}

}  // namespace gan::run
