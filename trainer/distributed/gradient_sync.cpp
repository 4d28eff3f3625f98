#include "trainer/distributed/gradient_sync.h"

#include <torch/torch.h>

#include <cmath>

namespace gan::distributed {

namespace {

std::int64_t Elements(const std::vector<at::Tensor>& tensors) {
  std::int64_t sum = 0;
  for (const at::Tensor& tensor : tensors) sum += tensor.numel();
  return sum;
}

void CopyInto(at::Tensor& flat, const std::vector<at::Tensor>& tensors) {
  std::int64_t offset = 0;
  for (const at::Tensor& tensor : tensors) {
    flat.narrow(0, offset, tensor.numel()).view(tensor.sizes()).copy_(tensor);
    offset += tensor.numel();
  }
}

void CopyOut(const at::Tensor& flat, std::vector<at::Tensor>& tensors) {
  std::int64_t offset = 0;
  for (at::Tensor& tensor : tensors) {
    tensor.copy_(flat.narrow(0, offset, tensor.numel()).view(tensor.sizes()));
    offset += tensor.numel();
  }
}

}  // namespace

GradientSync::GradientSync(std::vector<at::Tensor> parameters, std::vector<at::Tensor> buffers,
                           std::shared_ptr<Communicator> communicator)
    : parameters_(std::move(parameters)), buffers_(std::move(buffers)), communicator_(std::move(communicator)) {
  const at::Tensor& first = parameters_.empty() ? buffers_.at(0) : parameters_[0];
  flat_ = torch::empty({Elements(parameters_) + Elements(buffers_)}, first.options().requires_grad(false));
}

SyncResult GradientSync::Synchronise() {
  torch::NoGradGuard no_grad;
  std::vector<at::Tensor> tensors;
  for (const at::Tensor& parameter : parameters_) {
    if (!parameter.grad().defined()) throw CommunicationError("a parameter has no gradient: no backward reached it");
    tensors.push_back(parameter.grad());
  }
  tensors.insert(tensors.end(), buffers_.begin(), buffers_.end());
  CopyInto(flat_, tensors);
  if (communicator_->size() > 1) {
    communicator_->AllReduce(flat_);
    flat_.div_(communicator_->size());
  }
  CopyOut(flat_, tensors);
  const std::int64_t gradients = Elements(parameters_);
  const double norm = flat_.narrow(0, 0, gradients).norm(2, at::kDouble).item<double>();
  const double rest = flat_.narrow(0, gradients, flat_.numel() - gradients).norm(2, at::kDouble).item<double>();
  return {.gradient_norm = norm, .finite = std::isfinite(norm) && std::isfinite(rest)};
}

}  // namespace gan::distributed
