#include "trainer/model/networks.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include <torch/nn.h>

#include "storage/errors.h"
#include "trainer/data/sampler.h"
#include "trainer/model/classes.h"
#include "trainer/model/convolution.h"
#include "trainer/model/spectral_norm.h"

namespace gan::model {

namespace nn = torch::nn;

namespace {

// D's last convolution, with a 1x1 kernel.
nn::Conv2dOptions ToLogit(std::int64_t in) { return nn::Conv2dOptions(in, 1, 1).bias(false); }

// PyTorch's layers are used, so that parameter names agree with those of a Sequential in Python.
void PushNorm(nn::Sequential& layers, Norm norm, std::int64_t channels) {
  switch (norm) {
    case Norm::kBatch:
      layers->push_back(nn::BatchNorm2d(channels));
      return;
    case Norm::kLayer:
      layers->push_back(
          nn::GroupNorm(nn::GroupNormOptions(1, channels)));  // one group, which contains all of C, H and W
      return;
    case Norm::kInstance:
      layers->push_back(nn::InstanceNorm2d(nn::InstanceNorm2dOptions(channels).affine(true)));
      return;
    case Norm::kNone:
      return;
  }
}

// The numbers are drawn on the CPU, so that they are the same on every device.
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
  // Feature maps of 128x128 pixels, which exist at 256 pixels, have half of `features` channels: a whole number.
  const std::int64_t least = std::max<std::int64_t>(options.resolution / 128, 1);
  for (const auto& [flag, features] :
       {std::pair("--features", options.features), std::pair("--features-d", options.DiscriminatorFeatures())}) {
    if (features >= 1 && features % least == 0) continue;
    throw UsageError(std::string(flag) + " " + std::to_string(features) + ": must be a positive multiple of " +
                     std::to_string(least) + " at this resolution");
  }
  if (options.d_width < 1) throw UsageError("--widen-d must be at least 1");
  if (options.noise_dim < 1) throw UsageError("--noise-dim must be at least 1");
}

// Each round doubles the side and applies the rule of widths; only the last layer has no norm.
nn::Sequential MakeGenerator(const NetworkOptions& options) {
  Validate(options);
  using Place = UpConv2dImpl::Place;
  nn::Sequential layers;
  std::int64_t in = options.GeneratorInputs();
  for (std::int64_t side = 4; side < options.resolution; side *= 2) {
    const std::int64_t out = ChannelsAt(options.features, side);
    layers->push_back(UpConv2d(in, out, side == 4 ? Place::kFirst : Place::kOther, options.convolutions));
    layers->push_back(nn::BatchNorm2d(out));
    layers->push_back(nn::ReLU(nn::ReLUOptions().inplace(true)));
    in = out;
  }
  layers->push_back(UpConv2d(in, 3, Place::kOther, options.convolutions));
  layers->push_back(nn::Tanh());
  AddClassEmbedding(layers, options);
  return layers;
}

nn::Sequential MakeDiscriminator(const NetworkOptions& options) {
  Validate(options);
  nn::Sequential layers;
  std::int64_t in = 3;
  for (std::int64_t side = options.resolution / 2; side >= 2; side /= 2) {
    const std::int64_t out = options.d_width * ChannelsAt(options.DiscriminatorFeatures(), side);
    if (options.spectral_norm) {
      layers->push_back(SpectralConv2d(nn::Conv2dOptions(in, out, 4).stride(2).padding(1).bias(false)));
    } else {
      layers->push_back(DownConv2d(in, out, options.convolutions));
    }
    // The first convolution has no norm, as in the paper.
    if (side != options.resolution / 2) PushNorm(layers, options.d_norm, out);
    layers->push_back(nn::LeakyReLU(nn::LeakyReLUOptions().negative_slope(0.2).inplace(true)));
    in = out;
  }
  // Every resolution ends here with 2×2 pixels and equally many channels, so a grown network keeps the last layers.
  layers->push_back(nn::AdaptiveAvgPool2d(nn::AdaptiveAvgPool2dOptions({1, 1})));
  if (options.spectral_norm) {
    layers->push_back(SpectralConv2d(ToLogit(in)));
  } else {
    layers->push_back(nn::Conv2d(ToLogit(in)));
  }
  AddClassProjection(layers, options, in);
  return layers;
}

namespace {

// `value` holds batches of these sizes, one after the other. Batch norm is the only layer that lets an image depend on
// the others, so the batches pass it one after another, in their order, because each updates the running statistics.
torch::Tensor RunLayer(nn::AnyModule& layer, const torch::Tensor& value, const std::vector<std::int64_t>& sizes) {
  // This also finds synchronised batch norm, which is derived from it.
  const bool mixes_images = layer.ptr()->as<nn::BatchNorm2d>() != nullptr;
  if (!mixes_images || sizes.size() == 1) return layer.forward(value);
  std::vector<torch::Tensor> parts;
  for (const torch::Tensor& part : value.split_with_sizes(sizes)) parts.push_back(layer.forward(part));
  return torch::cat(parts);
}

// Runs the layers one by one on batches of these sizes. The term of the class is computed from the last feature map,
// which is the input of the pooling. The network's output has two dimensions of size 1, which losses do not expect.
// features: null, or gets the outputs of the activations.
torch::Tensor RunLayers(nn::Sequential& discriminator, const torch::Tensor& images, const torch::Tensor& classes,
                        const std::vector<std::int64_t>& sizes, std::vector<torch::Tensor>* features) {
  torch::Tensor value = images, class_term;
  for (nn::AnyModule& layer : *discriminator) {
    if (layer.ptr()->as<nn::AdaptiveAvgPool2d>() != nullptr) {
      class_term = ClassTerm(discriminator, value, classes);
    }
    value = RunLayer(layer, value, sizes);
    if (features != nullptr && layer.ptr()->as<nn::LeakyReLU>() != nullptr) features->push_back(value);
  }
  const torch::Tensor logits = value.view({images.size(0), 1});
  return class_term.defined() ? logits + class_term : logits;
}

}  // namespace

torch::Tensor Discriminate(nn::Sequential& discriminator, const torch::Tensor& images, const torch::Tensor& classes) {
  return RunLayers(discriminator, images, classes, {images.size(0)}, nullptr);
}

std::pair<torch::Tensor, torch::Tensor> DiscriminateBoth(nn::Sequential& discriminator, const Labelled& first,
                                                         const Labelled& second) {
  const std::vector<std::int64_t> sizes = {first.images.size(0), second.images.size(0)};
  torch::Tensor classes;
  if (first.classes.defined()) classes = torch::cat({first.classes, second.classes});
  const torch::Tensor logits =
      RunLayers(discriminator, torch::cat({first.images, second.images}), classes, sizes, nullptr);
  const std::vector<torch::Tensor> parts = logits.split_with_sizes(sizes);
  return {parts[0], parts[1]};
}

DiscriminatorOutput DiscriminateWithFeatures(nn::Sequential& discriminator, const torch::Tensor& images,
                                             const torch::Tensor& classes) {
  DiscriminatorOutput output;
  output.logits = RunLayers(discriminator, images, classes, {images.size(0)}, &output.features);
  return output;
}

// Gives a class's embedding a length of about 1, as a one-hot vector has. A latent vector has a length of about 10.
// With 1.0 instead, G ignores the latent within a class: bench/classes/conditional.py, docs/decisions/0024-classes.md.
constexpr float kEmbeddingDeviation = 0.125F;
static_assert(NetworkOptions::kClassEmbedding == 64);

// The index of a parameter is part of its counter, so that all parameters get independent numbers.
void InitialiseWeights(nn::Module& module, std::uint64_t seed, std::uint64_t network) {
  torch::NoGradGuard no_grad;
  std::uint64_t index = 0;
  // A vector is a norm's scale or shift: the scale is drawn around 1, the shift is 0.
  for (auto& parameter : module.named_parameters()) {
    torch::Tensor tensor = parameter.value();
    const bool vector = tensor.dim() == 1;
    const bool shift = parameter.key().ends_with("bias");
    const bool embedding = parameter.key() == kClassEmbeddingWeight;
    if (shift) {
      tensor.zero_();
    } else {
      FillFromStream(tensor, vector ? 1.0F : 0.0F, embedding ? kEmbeddingDeviation : 0.02F, seed, network, index);
    }
    ++index;
  }
  // Weights were set after the layer had estimated its singular vectors.
  for (const auto& layer : module.modules(/*include_self=*/false)) {
    if (auto* spectral = layer->as<SpectralConv2d>()) spectral->Converge();
  }
}

void SetRequiresGrad(nn::Module& module, bool requires_grad) {
  for (torch::Tensor& parameter : module.parameters()) parameter.set_requires_grad(requires_grad);
}

}  // namespace gan::model
