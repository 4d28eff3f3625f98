#include "trainer/model/convolution.h"

#include <gtest/gtest.h>
#include <torch/autograd.h>

#include <string>
#include <vector>

#include "trainer/model/patches.h"
#include "trainer/model/product.h"

namespace gan::model {
namespace {

using Place = UpConv2dImpl::Place;
constexpr auto kAuto = ConvolutionPath::kAuto;
constexpr auto kTorch = ConvolutionPath::kTorch;
constexpr auto kChannelsLast = torch::MemoryFormat::ChannelsLast;

// The output, its gradients, and the gradients of their squares: which a penalty needs.
template <typename Layer>
std::vector<torch::Tensor> Everything(Layer& layer, const torch::Tensor& values) {
  const torch::Tensor input = values.detach().clone().requires_grad_();
  const torch::Tensor output = layer->forward(input);
  const torch::Tensor scalar = (output * output.detach().sin()).sum() + output.pow(3).sum();
  std::vector<torch::Tensor> all = {output};
  const auto first = torch::autograd::grad({scalar}, {input, layer->weight}, {}, true, /*create_graph=*/true);
  all.insert(all.end(), first.begin(), first.end());
  const torch::Tensor penalty = first[0].pow(2).sum() + first[1].pow(2).sum();
  const auto second = torch::autograd::grad({penalty}, {input, layer->weight});
  all.insert(all.end(), second.begin(), second.end());
  return all;
}

template <typename Layer>
void UseChannelsLast(Layer& layer, torch::ScalarType type) {
  layer->to(type);
  layer->weight.set_data(layer->weight.detach().contiguous(kChannelsLast));
}

void ExpectClose(const std::vector<torch::Tensor>& expected, const std::vector<torch::Tensor>& found,
                 double tolerance) {
  for (std::size_t i = 0; i < expected.size(); ++i) {
    ASSERT_EQ(expected[i].sizes(), found[i].sizes()) << "result " << i;
    EXPECT_LE((found[i] - expected[i]).norm().item<double>(), tolerance * expected[i].norm().item<double>())
        << "result " << i;
  }
}

// Expects the same results from both, computed by different operations.
template <typename Layer>
void ExpectSameByAnotherWay(Layer ours, Layer torchs, at::IntArrayRef shape) {
  for (const auto& [type, tolerance] : {std::pair(torch::kDouble, 1e-12), std::pair(torch::kFloat, 1e-4)}) {
    UseChannelsLast(torchs, type);
    ours->weight = torchs->weight;
    torch::manual_seed(4);
    const torch::Tensor input = torch::randn(shape, type);
    for (const auto format : {kChannelsLast, torch::MemoryFormat::Contiguous}) {
      const auto expected = Everything(torchs, input.contiguous(format));
      const auto found = Everything(ours, input.contiguous(format));
      EXPECT_NE(expected[0].grad_fn()->name(), found[0].grad_fn()->name());
      ExpectClose(expected, found, tolerance);
    }
  }
}

TEST(Convolution, DownWithAWeightOfManyNumbers) {
  ExpectSameByAnotherWay(DownConv2d(256, 256, kAuto), DownConv2d(256, 256, kTorch), {3, 256, 4, 4});
}

TEST(Convolution, DownToOnePlace) {
  ExpectSameByAnotherWay(DownConv2d(128, 128, kAuto), DownConv2d(128, 128, kTorch), {5, 128, 2, 2});
}

TEST(Convolution, DownFromColours) {
  ExpectSameByAnotherWay(DownConv2d(3, 16, kAuto), DownConv2d(3, 16, kTorch), {3, 3, 64, 64});
}

TEST(Convolution, DownWithAWeightOfFewNumbers) {
  ExpectSameByAnotherWay(DownConv2d(16, 32, kAuto), DownConv2d(16, 32, kTorch), {3, 16, 32, 32});
}

TEST(Convolution, UpFromOnePixel) {
  ExpectSameByAnotherWay(UpConv2d(20, 32, Place::kFirst, kAuto), UpConv2d(20, 32, Place::kFirst, kTorch),
                         {3, 20, 1, 1});
}

TEST(Convolution, UpWithAWeightOfManyNumbers) {
  ExpectSameByAnotherWay(UpConv2d(256, 256, Place::kOther, kAuto), UpConv2d(256, 256, Place::kOther, kTorch),
                         {2, 256, 4, 4});
}

TEST(Convolution, UpToColours) {
  ExpectSameByAnotherWay(UpConv2d(16, 3, Place::kOther, kAuto), UpConv2d(16, 3, Place::kOther, kTorch),
                         {3, 16, 32, 32});
}

TEST(Convolution, DownWithManyPlaces) {
  ExpectSameByAnotherWay(DownConv2d(32, 48, kAuto), DownConv2d(32, 48, kTorch), {3, 32, 32, 32});
}

TEST(Convolution, UpWithManyPlaces) {
  ExpectSameByAnotherWay(UpConv2d(48, 32, Place::kOther, kAuto), UpConv2d(48, 32, Place::kOther, kTorch),
                         {3, 48, 16, 16});
}

TEST(Convolution, WeightsInAnotherOrderAreLeftToTorch) {
  const auto way = [](DownConv2d layer, const torch::Tensor& input) {
    return std::string(layer->forward(input.requires_grad_()).grad_fn()->name());
  };
  EXPECT_EQ(way(DownConv2d(3, 8, kTorch), torch::rand({2, 3, 16, 16})),
            way(DownConv2d(256, 256, kAuto), torch::rand({2, 256, 4, 4})));  // the weight is not channels-last
}

TEST(Convolution, AnActivationMayFollowInPlace) {
  for (const std::int64_t channels : {16, 256}) {  // either way
    DownConv2d layer(channels, channels, kAuto);
    UseChannelsLast(layer, torch::kFloat);
    torch::Tensor output = layer->forward(torch::rand({2, channels, 8, 8}));
    torch::leaky_relu_(output, 0.2).sum().backward();
    EXPECT_TRUE(layer->weight.grad().defined());
  }
}

TEST(Convolution, AFrozenWeightGetsNoGradientButLetsOneThrough) {
  DownConv2d layer(3, 16, kAuto);
  UseChannelsLast(layer, torch::kFloat);
  layer->weight.set_requires_grad(false);
  const torch::Tensor input = torch::rand({2, 3, 32, 32}, torch::requires_grad());
  layer->forward(input).sum().backward();
  EXPECT_FALSE(layer->weight.grad().defined());
  EXPECT_GT(input.grad().abs().sum().item<double>(), 0);
}

TEST(Patches, SumOfPatchesIsTheTranspose) {
  torch::manual_seed(5);
  const torch::Tensor map = torch::randn({2, 6, 6, 5}, torch::kDouble);
  const torch::Tensor rows = torch::randn({2 * 3 * 3, 16 * 5}, torch::kDouble);
  const double down = (Patches(map) * rows).sum().item<double>();
  EXPECT_NEAR(down, (SumOfPatches(rows, 2, 3) * map).sum().item<double>(), 1e-9 * std::abs(down));
}

// For float there is an operator in LibTorch that no header names: a version without it would be slow and not wrong.
TEST(Product, IsLibTorchsWhateverTheOrderInMemory) {
  ASSERT_TRUE(c10::Dispatcher::singleton().findSchema({"mkldnn::_linear_pointwise", ""}).has_value());
  torch::manual_seed(6);
  const torch::Tensor a = torch::randn({7, 33}), b = torch::randn({33, 19});
  const torch::Tensor expected = a.to(torch::kDouble).matmul(b.to(torch::kDouble));
  for (const torch::Tensor& left : {a, a.t().contiguous().t()}) {
    for (const torch::Tensor& right : {b, b.t().contiguous().t()}) {
      EXPECT_TRUE(torch::allclose(Product(left, right).to(torch::kDouble), expected, 1e-5, 1e-5));
    }
  }
}

}  // namespace
}  // namespace gan::model
