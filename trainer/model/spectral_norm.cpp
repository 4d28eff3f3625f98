#include "trainer/model/spectral_norm.h"

namespace gan::model {

namespace nn = torch::nn;

namespace {

constexpr double kEpsilon = 1e-12;
// One iteration per forward is enough afterwards, because a weight changes little in a step.
constexpr int kFirstIterations = 15;

torch::Tensor Normal(const torch::Tensor& vector) { return vector / vector.norm().clamp_min(kEpsilon); }

}  // namespace

SpectralConv2dImpl::SpectralConv2dImpl(const nn::Conv2dOptions& options) : options_(options) { reset(); }

void SpectralConv2dImpl::reset() {
  const std::int64_t side = options_.kernel_size()->at(0);
  // Only `weight` itself is a parameter, so the optimizer, the checkpoints and growing handle it like any
  // convolution's.
  weight = register_parameter("weight", torch::empty({options_.out_channels(), options_.in_channels(), side, side}));
  nn::init::kaiming_uniform_(weight, std::sqrt(5.0));  // as in nn::Conv2d
  const std::int64_t fan_in = weight[0].numel();
  // A start vector that is almost certainly not orthogonal to a singular vector, and that is the same on every rank.
  u_ = register_buffer("u", Normal(torch::linspace(1, 2, options_.out_channels())));
  v_ = register_buffer("v", Normal(torch::linspace(1, 2, fan_in)));
}

// One power iteration: u and v approach the singular vectors of the largest singular value.
// Without gradient, as in the paper: sigma's derivative takes u and v as constants.
void SpectralConv2dImpl::Iterate() {
  torch::NoGradGuard no_grad;
  const torch::Tensor matrix = Matrix();
  u_.copy_(Normal(torch::mv(matrix, v_)));
  v_.copy_(Normal(torch::mv(matrix.t(), u_)));
}

void SpectralConv2dImpl::Converge() {
  for (int i = 0; i < kFirstIterations; ++i) Iterate();
}

torch::Tensor SpectralConv2dImpl::forward(const torch::Tensor& input) {
  if (is_training()) Iterate();
  // The graph needs these values in the backward, but the next forward changes the buffers; hence the copies.
  const torch::Tensor sigma = torch::dot(u_.clone(), torch::mv(Matrix(), v_.clone()));
  return torch::conv2d(input, weight / sigma, /*bias=*/{}, options_.stride(),
                       std::get<torch::ExpandingArray<2>>(options_.padding()));
}

}  // namespace gan::model
