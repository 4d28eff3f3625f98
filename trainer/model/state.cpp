#include "trainer/model/state.h"

namespace gan::model {

NamedTensors NamedState(const torch::nn::Module& module, const std::string& prefix) {
  NamedTensors state;
  // Detached, so that writing into a tensor is not recorded by autograd.
  for (const auto& item : module.named_parameters()) state.emplace_back(prefix + item.key(), item.value().detach());
  for (const auto& item : module.named_buffers()) state.emplace_back(prefix + item.key(), item.value());
  return state;
}

// The counter of batches is the same on every rank, and an average of integers would be a float.
std::vector<torch::Tensor> RunningStatistics(const torch::nn::Module& module) {
  std::vector<torch::Tensor> statistics;
  for (const torch::Tensor& buffer : module.buffers()) {
    if (buffer.is_floating_point()) statistics.push_back(buffer);
  }
  return statistics;
}

void ConvertFloatingPoint(torch::nn::Module& module, torch::ScalarType type) {
  torch::NoGradGuard no_grad;
  for (torch::Tensor& parameter : module.parameters()) parameter.set_data(parameter.to(type));
  for (torch::Tensor& buffer : module.buffers()) {
    // Integer buffers count batches and must not be converted.
    if (buffer.is_floating_point()) buffer.set_data(buffer.to(type));
  }
}

}  // namespace gan::model
