#pragma once

#include <torch/nn/module.h>

#include <string>
#include <utility>
#include <vector>

namespace gan::model {

using NamedTensors = std::vector<std::pair<std::string, torch::Tensor>>;

// Parameters, then buffers, each under `prefix` + its PyTorch name, in the module's own order. The tensors share
// storage with the module: writing into them changes it.
NamedTensors NamedState(const torch::nn::Module& module, const std::string& prefix);

// Floating-point buffers (batch-norm running mean and variance), which are averaged over the ranks.
std::vector<torch::Tensor> RunningStatistics(const torch::nn::Module& module);

// Converts parameters and floating-point buffers to another type. Counters stay integers, as with module.double() in
// Python.
void ConvertFloatingPoint(torch::nn::Module& module, torch::ScalarType type);

}  // namespace gan::model
