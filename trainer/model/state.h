#pragma once

#include <torch/torch.h>

#include <string>
#include <utility>
#include <vector>

namespace gan::model {

using NamedTensors = std::vector<std::pair<std::string, torch::Tensor>>;

// Parameters, then buffers, each under `prefix` + its PyTorch name, in the module's own order. The tensors share
// storage with the module: writing into them changes it.
NamedTensors NamedState(const torch::nn::Module& module, const std::string& prefix);

// Floating-point buffers (batch-norm running mean and variance), the ones that ranks average.
std::vector<torch::Tensor> RunningStatistics(const torch::nn::Module& module);

// Parameters and floating-point buffers in another type; counters stay integers, as module.double() does in Python.
void ConvertFloatingPoint(torch::nn::Module& module, torch::ScalarType type);

}  // namespace gan::model
