#include "trainer/model/convolution.h"

#include <ATen/autocast_mode.h>

#include "trainer/model/strided.h"

namespace gan::model {

namespace nn = torch::nn;

namespace {

// Our implementations need weights in channels-last order, in which the kernel's positions come before the channels.
bool CanChoose(ConvolutionPath path, const torch::Tensor& input, const torch::Tensor& weight) {
  return path == ConvolutionPath::kAuto && input.device().is_cpu() && !at::autocast::is_autocast_enabled(at::kCPU) &&
         weight.is_contiguous(torch::MemoryFormat::ChannelsLast);
}

// From one pixel to 4x4 without padding, which is a product of each latent with the weight.
torch::Tensor UpFromOnePixel(const torch::Tensor& input, const torch::Tensor& weight) {
  const torch::Tensor rows =
      input.reshape({input.size(0), input.size(1)}).matmul(weight.permute({0, 2, 3, 1}).reshape({weight.size(0), -1}));
  return rows.view({-1, 4, 4, weight.size(1)}).permute({0, 3, 1, 2});
}

}  // namespace

DownConv2dImpl::DownConv2dImpl(std::int64_t in, std::int64_t out, ConvolutionPath path)
    : nn::Conv2dImpl(nn::Conv2dOptions(in, out, 4).stride(2).padding(1).bias(false)), path_(path) {}

torch::Tensor DownConv2dImpl::forward(const torch::Tensor& input) {
  return CanChoose(path_, input, weight) ? StridedDown(input, weight) : nn::Conv2dImpl::forward(input);
}

UpConv2dImpl::UpConv2dImpl(std::int64_t in, std::int64_t out, Place place, ConvolutionPath path)
    : nn::ConvTranspose2dImpl(nn::ConvTranspose2dOptions(in, out, 4)
                                  .stride(place == Place::kFirst ? 1 : 2)
                                  .padding(place == Place::kFirst ? 0 : 1)
                                  .bias(false)),
      place_(place),
      path_(path) {}

torch::Tensor UpConv2dImpl::forward(const torch::Tensor& input) {
  if (!CanChoose(path_, input, weight)) return nn::ConvTranspose2dImpl::forward(input);
  return place_ == Place::kFirst ? UpFromOnePixel(input, weight) : StridedUp(input, weight);
}

}  // namespace gan::model
