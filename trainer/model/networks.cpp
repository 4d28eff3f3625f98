#include "trainer/model/networks.h"

#include <string>
#include <vector>

#include "storage/errors.h"
#include "trainer/data/sampler.h"

namespace gan::model {

namespace nn = torch::nn;

namespace {

nn::ConvTranspose2d Upsample(std::int64_t in, std::int64_t out, bool first) {
  return nn::ConvTranspose2d(
      nn::ConvTranspose2dOptions(in, out, 4).stride(first ? 1 : 2).padding(first ? 0 : 1).bias(false));
}

nn::Conv2d Downsample(std::int64_t in, std::int64_t out) {
  return nn::Conv2d(nn::Conv2dOptions(in, out, 4).stride(2).padding(1).bias(false));
}

void FillFromStream(torch::Tensor& tensor, float mean, float deviation, std::uint64_t seed, std::uint64_t network,
                    std::uint64_t index) {
  std::vector<float> values(static_cast<std::size_t>(tensor.numel()));
  data::FillNormal(values.data(), values.size(), seed, data::Stream::kInitialWeights, network, index);
  tensor.copy_(torch::from_blob(values.data(), tensor.sizes()).mul_(deviation).add_(mean));
}

}  // namespace

std::int64_t ChannelsAt(std::int64_t features, std::int64_t side) { return features * 64 / side; }

void Validate(const NetworkOptions& options) {
  if (options.resolution != 64 && options.resolution != 128 && options.resolution != 256) {
    throw UsageError("--resolution " + std::to_string(options.resolution) + ": must be 64, 128 or 256");
  }
  if (options.features < 1 || options.features * 128 % options.resolution != 0) {
    throw UsageError("--features " + std::to_string(options.features) + ": must be a positive multiple of " +
                     std::to_string(options.resolution > 128 ? options.resolution / 128 : 1) + " at this resolution");
  }
  if (options.noise_dim < 1) throw UsageError("--noise-dim must be at least 1");
}

nn::Sequential MakeGenerator(const NetworkOptions& options) {
  Validate(options);
  nn::Sequential layers;
  std::int64_t in = options.noise_dim;
  for (std::int64_t side = 4; side < options.resolution; side *= 2) {
    const std::int64_t out = ChannelsAt(options.features, side);
    layers->push_back(Upsample(in, out, side == 4));
    layers->push_back(nn::BatchNorm2d(out));
    layers->push_back(nn::ReLU(nn::ReLUOptions().inplace(true)));
    in = out;
  }
  layers->push_back(Upsample(in, 3, false));
  layers->push_back(nn::Tanh());
  return layers;
}

nn::Sequential MakeDiscriminator(const NetworkOptions& options) {
  Validate(options);
  nn::Sequential layers;
  std::int64_t in = 3;
  for (std::int64_t side = options.resolution / 2; side >= 2; side /= 2) {
    const std::int64_t out = ChannelsAt(options.features, side);
    layers->push_back(Downsample(in, out));
    if (in != 3) layers->push_back(nn::BatchNorm2d(out));
    layers->push_back(nn::LeakyReLU(nn::LeakyReLUOptions().negative_slope(0.2).inplace(true)));
    in = out;
  }
  layers->push_back(nn::AdaptiveAvgPool2d(nn::AdaptiveAvgPool2dOptions({1, 1})));
  layers->push_back(nn::Conv2d(nn::Conv2dOptions(in, 1, 1).bias(false)));
  return layers;
}

torch::Tensor Discriminate(nn::Sequential& discriminator, const torch::Tensor& images) {
  return discriminator->forward(images).view({images.size(0), 1});
}

void InitialiseWeights(nn::Module& module, std::uint64_t seed, std::uint64_t network) {
  torch::NoGradGuard no_grad;
  std::uint64_t index = 0;
  for (auto& parameter : module.named_parameters()) {
    torch::Tensor tensor = parameter.value();
    const bool convolution = tensor.dim() == 4;
    const bool shift = parameter.key().ends_with("bias");
    if (shift) {
      tensor.zero_();
    } else {
      FillFromStream(tensor, convolution ? 0.0F : 1.0F, 0.02F, seed, network, index);
    }
    ++index;
  }
}

void SetRequiresGrad(nn::Module& module, bool requires_grad) {
  for (torch::Tensor& parameter : module.parameters()) parameter.set_requires_grad(requires_grad);
}

}  // namespace gan::model
