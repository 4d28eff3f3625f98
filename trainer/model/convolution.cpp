#include "trainer/model/convolution.h"

#include <ATen/autocast_mode.h>

#include "trainer/model/patches.h"

namespace gan::model {

namespace nn = torch::nn;

namespace {

// From so many numbers of the weight a place of the map on, the matrix product was the faster one
// (docs/performance.md).
constexpr std::int64_t kWeightsPerPlace = 16384;
constexpr std::int64_t kFewChannels = 4;

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

// Row 2i+a of the result is made of rows i-1, i, i+1 of the input with the taps of row a below; tap 4 is a zero.
torch::Tensor UpBySubPixels(const torch::Tensor& input, const torch::Tensor& weight) {
  static const torch::Tensor kTapOf = torch::tensor({{3, 1, 4}, {4, 2, 0}}, torch::kLong);
  using torch::indexing::Slice;
  const torch::Tensor padded = torch::constant_pad_nd(weight, {0, 1, 0, 1});
  const torch::Tensor taps =
      padded.index({Slice(), Slice(), kTapOf.view({2, 3, 1, 1}), kTapOf.view({1, 1, 2, 3})});  // [in, out, 2, 3, 2, 3]
  const torch::Tensor filters = taps.permute({1, 2, 4, 0, 3, 5})
                                    .reshape({weight.size(1) * 4, weight.size(0), 3, 3})
                                    .contiguous(torch::MemoryFormat::ChannelsLast);
  return torch::pixel_shuffle(torch::conv2d(input, filters, {}, 1, 1), 2);
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
  if (weight.size(1) <= kFewChannels) return UpBySubPixels(input, weight);
  const std::int64_t places = input.size(0) * input.size(2) * input.size(3);
  if (WeightDominates(weight, places)) return UpByMatrixProduct(input, weight);
  return nn::ConvTranspose2dImpl::forward(input);
}

}  // namespace gan::model
