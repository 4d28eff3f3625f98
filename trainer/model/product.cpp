#include "trainer/model/product.h"

#include <ATen/core/dispatch/Dispatcher.h>

namespace gan::model {

namespace {

// The operator that torch.compile uses for a Linear layer: x [M, K], weight [N, K] -> [M, N]. It is registered with the
// dispatcher but declared in no header.
using LinearPointwise = at::Tensor(const at::Tensor& x, const at::Tensor& weight, const std::optional<at::Tensor>& bias,
                                   std::string_view activation, torch::List<std::optional<at::Scalar>> scalars,
                                   std::optional<std::string_view> algorithm);

}  // namespace

torch::Tensor Product(const torch::Tensor& a, const torch::Tensor& b) {
  static const auto linear = c10::Dispatcher::singleton().findSchema({"mkldnn::_linear_pointwise", ""});
  if (!linear || a.scalar_type() != torch::kFloat) return a.matmul(b);
  return linear->typed<LinearPointwise>().call(a.contiguous(), b.t(), std::nullopt, "none",
                                               torch::List<std::optional<at::Scalar>>(), "");
}

}  // namespace gan::model
