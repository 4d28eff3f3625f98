#include "trainer/model/convolution.h"

#include <ATen/autocast_mode.h>

#include "trainer/model/patches.h"

namespace gan::model {

namespace nn = torch::nn;

namespace {

// From so many numbers of the weight a place of the map on, the matrix product was the faster one
// (docs/performance.md).
constexpr std::int64_t kWeightsPerPlace = 16384;

// The ways below read weights in channels-last order: taps before channels.
bool MayChoose(ConvolutionPath path, const torch::Tensor& input, const torch::Tensor& weight) {
  return path == ConvolutionPath::kAuto && input.device().is_cpu() && !at::autocast::is_autocast_enabled(at::kCPU) &&
         weight.is_contiguous(torch::MemoryFormat::ChannelsLast);
}

bool WeightDominates(const torch::Tensor& weight, std::int64_t places) {
  return weight.numel() >= kWeightsPerPlace * places;
}

// [rows, channels, 4, 4] as a matrix [rows, 16*channels], without a copy.
torch::Tensor AsMatrix(const torch::Tensor& weight) {
  return weight.permute({0, 2, 3, 1}).reshape({weight.size(0), -1});
}

torch::Tensor ToNhwc(const torch::Tensor& map) { return map.permute({0, 2, 3, 1}); }
torch::Tensor ToNchw(const torch::Tensor& map) { return map.permute({0, 3, 1, 2}); }

torch::Tensor DownByMatrixProduct(const torch::Tensor& input, const torch::Tensor& weight) {
  const std::int64_t count = input.size(0), side = input.size(2) / 2;
  const torch::Tensor rows = Patches(ToNhwc(input)).matmul(AsMatrix(weight).t());  // [N*s*s, out]
  return ToNchw(rows.view({count, side, side, weight.size(0)}));
}

torch::Tensor UpByMatrixProduct(const torch::Tensor& input, const torch::Tensor& weight) {
  const torch::Tensor places = ToNhwc(input).reshape({-1, weight.size(0)});
  return ToNchw(SumOfPatches(places.matmul(AsMatrix(weight)), input.size(0), input.size(2)));
}

torch::Tensor FirstByMatrixProduct(const torch::Tensor& input, const torch::Tensor& weight) {
  const torch::Tensor rows = input.reshape({input.size(0), input.size(1)}).matmul(AsMatrix(weight));
  return ToNchw(rows.view({-1, 4, 4, weight.size(1)}));
}

}  // namespace

DownConv2dImpl::DownConv2dImpl(std::int64_t in, std::int64_t out, ConvolutionPath path)
    : nn::Conv2dImpl(nn::Conv2dOptions(in, out, 4).stride(2).padding(1).bias(false)), path_(path) {}

torch::Tensor DownConv2dImpl::forward(const torch::Tensor& input) {
  const std::int64_t places = input.size(0) * (input.size(2) / 2) * (input.size(3) / 2);
  if (MayChoose(path_, input, weight) && WeightDominates(weight, places)) return DownByMatrixProduct(input, weight);
  return nn::Conv2dImpl::forward(input);
}

UpConv2dImpl::UpConv2dImpl(std::int64_t in, std::int64_t out, Place place, ConvolutionPath path)
    : nn::ConvTranspose2dImpl(nn::ConvTranspose2dOptions(in, out, 4)
                                  .stride(place == Place::kFirst ? 1 : 2)
                                  .padding(place == Place::kFirst ? 0 : 1)
                                  .bias(false)),
      place_(place),
      path_(path) {}

torch::Tensor UpConv2dImpl::forward(const torch::Tensor& input) {
  if (!MayChoose(path_, input, weight)) return nn::ConvTranspose2dImpl::forward(input);
  if (place_ == Place::kFirst) return FirstByMatrixProduct(input, weight);
  const std::int64_t places = input.size(0) * input.size(2) * input.size(3);
  if (WeightDominates(weight, places)) return UpByMatrixProduct(input, weight);
  return nn::ConvTranspose2dImpl::forward(input);
}

}  // namespace gan::model
