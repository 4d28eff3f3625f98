#include "trainer/step/adam.h"

#include <algorithm>

namespace gan::step {

namespace {

// The tensor's numbers as they lie in memory, [numel]. PyTorch's kernel on CPUs pairs the numbers of all tensors in
// that order, whatever their strides, but first copies a gradient that is not in NCHW order, for nothing.
torch::Tensor InMemoryOrder(const torch::Tensor& tensor) { return tensor.as_strided({tensor.numel()}, {1}); }

// The numbers of the gradient of `parameter`, in the memory order of `parameter`. They are copied if autograd made the
// gradient in another order.
torch::Tensor GradientOf(const torch::Tensor& parameter) {
  const torch::Tensor& gradient = parameter.grad();
  if (gradient.strides() == parameter.strides()) return InMemoryOrder(gradient);
  return InMemoryOrder(torch::empty_like(parameter).copy_(gradient));
}

std::vector<torch::Tensor> AllInMemoryOrder(const std::vector<torch::Tensor>& tensors) {
  std::vector<torch::Tensor> result;
  result.reserve(tensors.size());
  for (const torch::Tensor& tensor : tensors) result.push_back(InMemoryOrder(tensor));
  return result;
}

}  // namespace

Adam::Adam(const torch::OrderedDict<std::string, torch::Tensor>& parameters, const AdamOptions& options)
    : options_(options) {
  for (const auto& item : parameters) {
    names_.push_back(item.key());
    parameters_.push_back(item.value());
    first_moments_.push_back(torch::zeros_like(item.value()));
    second_moments_.push_back(torch::zeros_like(item.value()));
  }
  // One counter per parameter, because layers that were added by growth have had fewer updates.
  steps_ = torch::zeros({static_cast<std::int64_t>(names_.size())},
                        torch::TensorOptions(parameters_.front().device()).dtype(torch::kFloat));
}

void Adam::Step(const torch::Tensor& learning_rate) { Update(learning_rate, {}, {}); }

void Adam::Step(const torch::Tensor& learning_rate, const torch::Tensor& norm, double clip_norm) {
  torch::NoGradGuard no_grad;
  std::optional<torch::Tensor> divisor;
  // Computed on the device, so that the host does not wait for the norm.
  if (clip_norm > 0) divisor = (norm / clip_norm).clamp_min(1).to(torch::kFloat).view({1});
  Update(learning_rate, divisor, norm.isfinite().logical_not().to(torch::kFloat).view({1}));
}

// Parameters stay unchanged when `skipped` is 1; the kernel checks it on the device.
void Adam::Update(const torch::Tensor& learning_rate, const std::optional<torch::Tensor>& divisor,
                  const std::optional<torch::Tensor>& skipped) {
  torch::NoGradGuard no_grad;
  if (skipped) {
    // Adam corrects its bias by this number, so an update that was skipped must not count.
    steps_ += 1 - *skipped;
  } else {
    steps_ += 1;
  }
  std::vector<torch::Tensor> gradients;
  gradients.reserve(parameters_.size());
  for (const torch::Tensor& parameter : parameters_) gradients.push_back(GradientOf(parameter));
  // One kernel reads each parameter, gradient and moment once, which separate operations would each do again.
  at::_fused_adam_(AllInMemoryOrder(parameters_), gradients, AllInMemoryOrder(first_moments_),
                   AllInMemoryOrder(second_moments_), /*max_exp_avg_sqs=*/{}, steps_.unbind(), learning_rate,
                   std::min(options_.beta1, most_beta1_), options_.beta2, /*weight_decay=*/0.0, options_.epsilon,
                   /*amsgrad=*/false, /*maximize=*/false, divisor, skipped);
}

void Adam::ClearGradients() {
  for (torch::Tensor& parameter : parameters_) parameter.mutable_grad().reset();
}

torch::ScalarType LearningRateType(torch::Device device) { return device.is_cpu() ? torch::kDouble : torch::kFloat; }

// The names are part of the checkpoint format.
model::NamedTensors Adam::NamedState(const std::string& prefix) const {
  model::NamedTensors state;
  for (std::size_t i = 0; i < names_.size(); ++i) {
    state.emplace_back(prefix + "exp_avg." + names_[i], first_moments_[i]);
    state.emplace_back(prefix + "exp_avg_sq." + names_[i], second_moments_[i]);
  }
  state.emplace_back(prefix + "steps", steps_);
  return state;
}

}  // namespace gan::step
