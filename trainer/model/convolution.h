// The convolutions of DCGAN: 4x4 kernels without bias, stride 2 and padding 1, but stride 1 and no padding in G's first
// layer. The ConvolutionPath selects the implementation.
#pragma once

#include <torch/nn/modules/conv.h>

#include "trainer/model/network_options.h"

namespace gan::model {

// With ConvolutionPath::kAuto, on CPUs and with channels-last weights, each layer uses the implementation that is
// faster for its shape (strided.h); only the order of summation differs. All operations are differentiable any number
// of times.

// nn::Conv2d(4, stride 2, padding 1): [N, in, 2s, 2s] -> [N, out, s, s].
class DownConv2dImpl : public torch::nn::Conv2dImpl {
 public:
  DownConv2dImpl(std::int64_t in, std::int64_t out, ConvolutionPath path);
  torch::Tensor forward(const torch::Tensor& input);

 private:
  ConvolutionPath path_;
};
TORCH_MODULE(DownConv2d);

// nn::ConvTranspose2d: [N, in, s, s] -> [N, out, 2s, 2s]; the first layer of G, [N, in, 1, 1] -> [N, out, 4, 4].
class UpConv2dImpl : public torch::nn::ConvTranspose2dImpl {
 public:
  enum class Place { kFirst, kOther };
  UpConv2dImpl(std::int64_t in, std::int64_t out, Place place, ConvolutionPath path);
  torch::Tensor forward(const torch::Tensor& input);

 private:
  Place place_;
  ConvolutionPath path_;
};
TORCH_MODULE(UpConv2d);

}  // namespace gan::model
