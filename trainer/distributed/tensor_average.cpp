#include "trainer/distributed/tensor_average.h"

#include <torch/torch.h>

#include <cmath>
#include <numeric>

namespace gan::distributed {

namespace {

std::int64_t Elements(const std::vector<at::Tensor>& tensors) {
  std::int64_t sum = 0;
  for (const at::Tensor& tensor : tensors) sum += tensor.numel();
  return sum;
}

// The part of `flat` that belongs to each of `tensors`, in its shape and order in memory: a copy between them is one
// straight run, whether the tensor is NCHW or NHWC.
std::vector<at::Tensor> ViewsOn(const at::Tensor& flat, const std::vector<at::Tensor>& tensors) {
  std::vector<at::Tensor> views;
  std::int64_t offset = 0;
  for (const at::Tensor& tensor : tensors) {
    views.push_back(tensor.is_non_overlapping_and_dense()
                        ? flat.as_strided(tensor.sizes(), tensor.strides(), offset)
                        : flat.narrow(0, offset, tensor.numel()).view(tensor.sizes()));
    offset += tensor.numel();
  }
  return views;
}

// In double precision. LibTorch's norm of floats as doubles takes three times as long on a CPU as reading them does.
double SquaredNormOnCpu(const float* values, std::int64_t count) {
  constexpr std::int64_t kLanes = 16;  // independent sums, which the compiler turns into vectors
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

bool IsPlainOnCpu(const at::Tensor& tensor) {
  return tensor.is_cpu() && tensor.scalar_type() == at::kFloat && tensor.is_non_overlapping_and_dense();
}

}  // namespace

double NormOf(const std::vector<at::Tensor>& tensors) {
  double sum = 0;
  std::vector<at::Tensor> others;
  for (const at::Tensor& tensor : tensors) {
    if (IsPlainOnCpu(tensor)) {
      sum += SquaredNormOnCpu(tensor.const_data_ptr<float>(), tensor.numel());
    } else {
      others.push_back(tensor.norm(2, at::kDouble));
    }
  }
  if (others.empty()) return std::sqrt(sum);
  return std::hypot(std::sqrt(sum), torch::stack(others).norm().item<double>());
}

TensorAverage::TensorAverage(const std::vector<at::Tensor>& like, std::shared_ptr<Communicator> communicator)
    : communicator_(std::move(communicator)) {
  if (like.empty() || communicator_->size() == 1) return;
  flat_ = torch::empty({Elements(like)}, like[0].options().requires_grad(false));
}

double TensorAverage::Average(const std::vector<at::Tensor>& tensors) {
  if (tensors.empty()) return 0;
  torch::NoGradGuard no_grad;
  if (communicator_->size() == 1) return NormOf(tensors);
  std::vector<at::Tensor> views = ViewsOn(flat_, tensors);
  at::_foreach_copy_(views, tensors);
  communicator_->AllReduce(flat_);
  const double ranks = communicator_->size();
  const double norm = NormOf({flat_}) / ranks;
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    at::Tensor target = tensors[i];
    at::div_out(target, views[i], torch::scalar_tensor(ranks, flat_.options()));
  }
  return norm;
}

}  // namespace gan::distributed
