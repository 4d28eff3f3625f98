#include "trainer/model/convolution.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace gan::model {
namespace {

using Place = UpConv2dImpl::Place;
constexpr auto kAuto = ConvolutionPath::kAuto;
constexpr auto kTorch = ConvolutionPath::kTorch;
constexpr auto kChannelsLast = torch::MemoryFormat::ChannelsLast;

// The output, its gradients, and the gradients of their squares: what a penalty asks for.
template <typename Layer>
std::vector<torch::Tensor> Everything(Layer& layer, const torch::Tensor& values) {
  const torch::Tensor input = values.detach().clone().requires_grad_();
  const torch::Tensor output = layer->forward(input);
  const torch::Tensor scalar = (output * output.detach().sin()).sum() + output.pow(3).sum();
  std::vector<torch::Tensor> all = {output};
  const auto first = torch::autograd::grad({scalar}, {input, layer->weight}, {}, true, /*create_graph=*/true);
  all.insert(all.end(), first.begin(), first.end());
  const auto second = torch::autograd::grad({first[0].pow(2).sum()}, {input, layer->weight});
  all.insert(all.end(), second.begin(), second.end());
  return all;
}

template <typename Layer>
void UseChannelsLast(Layer& layer) {
  layer->to(torch::kDouble);
  layer->weight.set_data(layer->weight.detach().contiguous(kChannelsLast));
}

// The same results from both, computed by different operations.
template <typename Layer>
void ExpectSameByAnotherWay(Layer ours, Layer torchs, const torch::Tensor& input) {
  UseChannelsLast(torchs);
  ours->weight = torchs->weight;
  for (const auto format : {kChannelsLast, torch::MemoryFormat::Contiguous}) {
    const auto expected = Everything(torchs, input.contiguous(format));
    const auto found = Everything(ours, input.contiguous(format));
    EXPECT_NE(expected[0].grad_fn()->name(), found[0].grad_fn()->name());
    for (std::size_t i = 0; i < expected.size(); ++i) {
      EXPECT_TRUE(torch::allclose(found[i], expected[i], 1e-9, 1e-9)) << "result " << i;
    }
  }
}

torch::Tensor Random(at::IntArrayRef shape) {
  torch::manual_seed(4);
  return torch::randn(shape, torch::kDouble);
}

TEST(Convolution, DownWithAWeightOfManyNumbers) {
  ExpectSameByAnotherWay(DownConv2d(256, 256, kAuto), DownConv2d(256, 256, kTorch), Random({3, 256, 4, 4}));
}

TEST(Convolution, DownToOnePlace) {
  ExpectSameByAnotherWay(DownConv2d(128, 128, kAuto), DownConv2d(128, 128, kTorch), Random({5, 128, 2, 2}));
}

TEST(Convolution, UpFromOnePixel) {
  ExpectSameByAnotherWay(UpConv2d(20, 32, Place::kFirst, kAuto), UpConv2d(20, 32, Place::kFirst, kTorch),
                         Random({3, 20, 1, 1}));
}

TEST(Convolution, UpWithAWeightOfManyNumbers) {
  ExpectSameByAnotherWay(UpConv2d(256, 256, Place::kOther, kAuto), UpConv2d(256, 256, Place::kOther, kTorch),
                         Random({2, 256, 4, 4}));
}

TEST(Convolution, OtherShapesAndOtherOrdersAreLeftToTorch) {
  const auto way = [](DownConv2d layer, const torch::Tensor& input) {
    return std::string(layer->forward(input.requires_grad_()).grad_fn()->name());
  };
  const std::string torchs = way(DownConv2d(3, 8, kTorch), torch::rand({2, 3, 16, 16}));
  EXPECT_EQ(torchs, way(DownConv2d(256, 256, kAuto), torch::rand({2, 256, 4, 4})));  // the weight is not channels-last
  DownConv2d small(16, 32, kAuto);
  small->weight.set_data(small->weight.detach().contiguous(kChannelsLast));
  EXPECT_EQ(torchs, way(small, torch::rand({2, 16, 16, 16})));
}

}  // namespace
}  // namespace gan::model
