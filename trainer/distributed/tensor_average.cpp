#include "trainer/distributed/tensor_average.h"

#include <torch/torch.h>

namespace gan::distributed {

namespace {

std::int64_t Elements(const std::vector<at::Tensor>& tensors) {
  std::int64_t sum = 0;
  for (const at::Tensor& tensor : tensors) sum += tensor.numel();
  return sum;
}

// The part of `flat` that belongs to each of `tensors`, in its shape.
std::vector<at::Tensor> ViewsOn(const at::Tensor& flat, const std::vector<at::Tensor>& tensors) {
  std::vector<at::Tensor> views;
  std::int64_t offset = 0;
  for (const at::Tensor& tensor : tensors) {
    views.push_back(flat.narrow(0, offset, tensor.numel()).view(tensor.sizes()));
    offset += tensor.numel();
  }
  return views;
}

}  // namespace

TensorAverage::TensorAverage(const std::vector<at::Tensor>& like, std::shared_ptr<Communicator> communicator)
    : communicator_(std::move(communicator)) {
  if (like.empty()) return;
  flat_ = torch::empty({Elements(like)}, like[0].options().requires_grad(false));
}

double TensorAverage::Average(const std::vector<at::Tensor>& tensors) {
  if (tensors.empty()) return 0;
  torch::NoGradGuard no_grad;
  std::vector<at::Tensor> views = ViewsOn(flat_, tensors);
  at::_foreach_copy_(views, tensors);
  if (communicator_->size() > 1) {
    communicator_->AllReduce(flat_);
    flat_.div_(communicator_->size());
    std::vector<at::Tensor> targets = tensors;
    at::_foreach_copy_(targets, views);
  }
  return flat_.norm(2, at::kDouble).item<double>();
}

}  // namespace gan::distributed
