#include "trainer/distributed/tensor_average.h"

#include <torch/utils.h>

#include <cmath>
#include <numeric>

namespace gan::distributed {

namespace {

// The squared norm in double precision. On a CPU, LibTorch's norm of floats as doubles takes three times as long as
// reading them.
double SquaredNormOnCpu(const float* values, std::int64_t count) {
  constexpr std::int64_t kLanes = 16;  // independent sums, which the compiler vectorises
  double sums[kLanes] = {};
  std::int64_t i = 0;
  for (; i + kLanes <= count; i += kLanes) {
    for (std::int64_t lane = 0; lane < kLanes; ++lane) {
      const auto value = static_cast<double>(values[i + lane]);
      sums[lane] += value * value;
    }
  }
  double sum = std::accumulate(sums, sums + kLanes, 0.0);
  for (; i < count; ++i) sum += static_cast<double>(values[i]) * static_cast<double>(values[i]);
  return sum;
}

// Whether the fast loop can read the memory directly.
bool IsPlainOnCpu(const at::Tensor& tensor) {
  return tensor.is_cpu() && tensor.scalar_type() == at::kFloat && tensor.is_non_overlapping_and_dense();
}

}  // namespace

// Tensors that the fast loop cannot handle use LibTorch's norm.
at::Tensor NormOf(const std::vector<at::Tensor>& tensors) {
  double sum = 0;
  std::vector<at::Tensor> others;
  for (const at::Tensor& tensor : tensors) {
    if (IsPlainOnCpu(tensor)) {
      sum += SquaredNormOnCpu(tensor.const_data_ptr<float>(), tensor.numel());
    } else {
      others.push_back(tensor);
    }
  }
  // The norm is in double precision because a sum of squares of floats overflows from 1.8e19 on, and a finite gradient
  // would then look infinite.
  if (others.empty()) return at::scalar_tensor(std::sqrt(sum), at::kDouble);
  const at::Tensor norm = torch::stack(at::_foreach_norm(others, 2, at::kDouble)).norm();
  return sum == 0 ? norm : torch::hypot(norm, at::scalar_tensor(std::sqrt(sum), norm.options()));
}

at::Tensor AverageOverRanks(const std::vector<at::Tensor>& tensors, Communicator& communicator) {
  torch::NoGradGuard no_grad;
  // The norm is that of the average and not the average of the norms, so all ranks clip alike.
  if (!tensors.empty() && communicator.size() > 1) communicator.AllReduce(tensors, ReduceOp::kAverage);
  return NormOf(tensors);
}

}  // namespace gan::distributed
