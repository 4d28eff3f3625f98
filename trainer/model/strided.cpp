#include "trainer/model/strided.h"

#include <torch/autograd.h>

#include "trainer/model/patches.h"
#include "trainer/model/winograd.h"

namespace gan::model {

namespace {

using torch::autograd::AutogradContext;
using torch::autograd::tensor_list;

constexpr auto kChannelsLast = torch::MemoryFormat::ChannelsLast;
constexpr std::int64_t kTaps = 4;

// How a convolution that is differentiable twice (for gradient penalties) comes from three functions: each is linear in
// both arguments, and its derivatives are the other two. The classes at the end say so to autograd, and Down, Up and
// Weight choose the implementation.

// Limits from measurements with bench/train/convolutions.cpp (docs/decisions/0010-convolutions.md). oneDNN reorders a
// large weight in every call, and is slow for images, which have only three channels.
bool WeightDominates(std::int64_t weights, std::int64_t places) { return weights >= 2048 * places; }
constexpr std::int64_t kFewChannels = 8;

// Winograd's algorithm where it is faster, a product of all patches if the weight dominates the cost, otherwise
// oneDNN's convolution.
torch::Tensor Down(const torch::Tensor& large, const torch::Tensor& weight) {
  const std::int64_t count = large.size(0), side = large.size(2) / 2;
  if (WinogradPays(large.scalar_type(), count, large.size(1), weight.size(0), side)) return WinogradDown(large, weight);
  if (!WeightDominates(weight.numel(), count * side * side)) {
    return torch::conv2d(large, weight, /*bias=*/{}, /*stride=*/2, /*padding=*/1);
  }
  return PatchesDown(large, weight);
}

torch::Tensor Up(const torch::Tensor& small, const torch::Tensor& weight) {
  const std::int64_t count = small.size(0), side = small.size(2);
  if (WinogradPays(small.scalar_type(), count, weight.size(1), small.size(1), side)) return WinogradUp(small, weight);
  if (!WeightDominates(weight.numel(), count * side * side) && weight.size(1) >= kFewChannels) {
    return torch::conv_transpose2d(small, weight, /*bias=*/{}, /*stride=*/2, /*padding=*/1);
  }
  return PatchesUp(small, weight);
}

// Computes the gradient of the weight: by Winograd's algorithm, as a product of all output gradients with all patches,
// or by LibTorch's function.
torch::Tensor Weight(const torch::Tensor& large, const torch::Tensor& small) {
  if (WinogradWeightPays(large.scalar_type(), small.size(0), large.size(1), small.size(1), small.size(2))) {
    return WinogradWeight(large, small);
  }
  const std::vector<std::int64_t> shape = {small.size(1), large.size(1), kTaps, kTaps};
  const std::int64_t weights = c10::multiply_integers(shape), places = small.size(0) * small.size(2) * small.size(3);
  if (!WeightDominates(weights, places)) {
    // LibTorch reads only the shape and memory order of this tensor, because only the gradient of the weight is
    // requested.
    const torch::Tensor like = torch::empty(shape, large.options().memory_format(kChannelsLast));
    return std::get<1>(torch::convolution_backward(small, large, like, c10::nullopt, {2, 2}, {1, 1}, {1, 1},
                                                   /*transposed=*/false, {0, 0}, /*groups=*/1, {false, true, false}));
  }
  return PatchesWeight(large, small);
}

// Saves both arguments and calls `compute` without recording its operations in autograd. Views are not tracked either,
// because an in-place activation may follow.
template <typename Compute>
torch::Tensor Forward(AutogradContext* context, const torch::Tensor& a, const torch::Tensor& b,
                      const Compute& compute) {
  const at::AutoDispatchBelowADInplaceOrView below;
  context->save_for_backward({a, b});
  return compute(a, b);
}

// The derivatives with respect to both arguments, each computed only if it is needed. They are computed by the
// functions of strided.h, so they are differentiable again.
template <typename ByFirst, typename BySecond>
tensor_list Backward(AutogradContext* context, const ByFirst& by_first, const BySecond& by_second) {
  const tensor_list saved = context->get_saved_variables();
  tensor_list result(2);
  if (context->needs_input_grad(0)) result[0] = by_first(saved[1]);
  if (context->needs_input_grad(1)) result[1] = by_second(saved[0]);
  return result;
}

struct DownFunction : torch::autograd::Function<DownFunction> {
  static torch::Tensor forward(AutogradContext* context, const torch::Tensor& large, const torch::Tensor& weight) {
    return Forward(context, large, weight, Down);
  }
  static tensor_list backward(AutogradContext* context, const tensor_list& gradient) {
    return Backward(
        context, [&](const torch::Tensor& weight) { return StridedUp(gradient[0], weight); },
        [&](const torch::Tensor& large) { return StridedWeight(large, gradient[0]); });
  }
};

struct UpFunction : torch::autograd::Function<UpFunction> {
  static torch::Tensor forward(AutogradContext* context, const torch::Tensor& small, const torch::Tensor& weight) {
    return Forward(context, small, weight, Up);
  }
  static tensor_list backward(AutogradContext* context, const tensor_list& gradient) {
    return Backward(
        context, [&](const torch::Tensor& weight) { return StridedDown(gradient[0], weight); },
        [&](const torch::Tensor& small) { return StridedWeight(gradient[0], small); });
  }
};

struct WeightFunction : torch::autograd::Function<WeightFunction> {
  static torch::Tensor forward(AutogradContext* context, const torch::Tensor& large, const torch::Tensor& small) {
    return Forward(context, large, small, Weight);
  }
  static tensor_list backward(AutogradContext* context, const tensor_list& gradient) {
    return Backward(
        context, [&](const torch::Tensor& small) { return StridedUp(small, gradient[0]); },
        [&](const torch::Tensor& large) { return StridedDown(large, gradient[0]); });
  }
};

}  // namespace

torch::Tensor StridedDown(const torch::Tensor& large, const torch::Tensor& weight) {
  return DownFunction::apply(large, weight);
}

torch::Tensor StridedUp(const torch::Tensor& small, const torch::Tensor& weight) {
  return UpFunction::apply(small, weight);
}

torch::Tensor StridedWeight(const torch::Tensor& large, const torch::Tensor& small) {
  return WeightFunction::apply(large, small);
}

}  // namespace gan::model
