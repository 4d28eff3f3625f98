#include "generate/engine/engine.h"

#include <cmath>

namespace gan::generate {

std::vector<float> BiasOf(const Layer& layer) {
  return layer.bias.empty() ? std::vector<float>(layer.out, 0) : layer.bias;
}

Engine::FoldedLayer Engine::Fold(const Layer& layer, std::size_t in_side) {
  std::vector<float> scale(layer.out, 1), shift = BiasOf(layer);
  if (layer.norm) {
    const BatchNorm& norm = *layer.norm;
    for (std::size_t c = 0; c < layer.out; ++c) {
      const double factor =
          double{norm.scale[c]} / std::sqrt(static_cast<double>(norm.variance[c]) + kBatchNormEpsilon);
      scale[c] = static_cast<float>(factor);
      shift[c] = static_cast<float>(double{norm.shift[c]} + (double{shift[c]} - double{norm.mean[c]}) * factor);
    }
  }
  return {PackedConvolution(layer, scale, in_side), std::move(shift),
          layer.norm ? Activation::kRelu : Activation::kTanh};
}

Engine::Engine(const Generator& generator) {
  std::size_t side = 1;
  for (const Layer& layer : generator.layers) {
    layers_.push_back(Fold(layer, side));
    side = layers_.back().convolution.out_side();
  }
}

std::span<const float> Engine::Run(std::span<const float> latents) {
  const std::size_t images = latents.size() / noise_dim();
  const float* input = latents.data();
  for (const FoldedLayer& layer : layers_) {
    const std::size_t floats = images * layer.convolution.out() * layer.convolution.out_pixels();
    if (to_.size() < floats) to_.resize(floats);
    layer.convolution.Run(input, images, layer.shift, layer.activation,
                          &layer == &layers_.back() ? Layout::kPlain : Layout::kBlocks, to_.data());
    std::swap(from_, to_);
    input = from_.data();
  }
  return {input, images * 3 * side() * side()};
}

}  // namespace gan::generate
