#include "generate/engine/engine.h"

#include <cmath>

namespace gan::generate {

std::vector<float> BiasOf(const Layer& layer) {
  return layer.bias.empty() ? std::vector<float>(layer.out, 0) : layer.bias;
}

FoldedNorm FoldNorm(const Layer& layer) {
  FoldedNorm folded{std::vector<float>(layer.out, 1), BiasOf(layer)};
  if (!layer.norm) return folded;
  const BatchNorm& norm = *layer.norm;
  for (std::size_t c = 0; c < layer.out; ++c) {
    // In double and rounded once, since these factors enter every pixel.
    const double factor = double{norm.scale[c]} / std::sqrt(static_cast<double>(norm.variance[c]) + kBatchNormEpsilon);
    const double bias = double{folded.shift[c]};
    folded.scale[c] = static_cast<float>(factor);
    folded.shift[c] = static_cast<float>(double{norm.shift[c]} + (bias - double{norm.mean[c]}) * factor);
  }
  return folded;
}

Engine::FoldedLayer Engine::Fold(const Layer& layer, std::size_t in_side) {
  FoldedNorm norm = FoldNorm(layer);
  // ReLU follows where a norm does; only the last layer has none, and tanh ends the network. Load() checks both.
  return {PackedConvolution(layer, norm.scale, in_side), std::move(norm.shift),
          layer.norm ? Activation::kRelu : Activation::kTanh};
}

Engine::Engine(const Generator& generator) {
  std::size_t side = 1;
  for (const Layer& layer : generator.layers) {
    layers_.push_back(Fold(layer, side));
    side = layers_.back().convolution.out_side();
  }
}

std::span<const float> Engine::Run(std::span<const float> inputs) {
  const std::size_t images = inputs.size() / this->inputs();
  const float* input = inputs.data();
  for (const FoldedLayer& layer : layers_) {
    const std::size_t floats = images * layer.convolution.out() * layer.convolution.out_pixels();
    // Buffers only grow. The layers use two of them alternately.
    if (to_.size() < floats) to_.resize(floats);
    layer.convolution.Run(input, images, layer.shift, layer.activation,
                          &layer == &layers_.back() ? Layout::kPlain : Layout::kBlocks, to_.data());
    std::swap(from_, to_);
    input = from_.data();
  }
  return {input, images * 3 * side() * side()};
}

}  // namespace gan::generate
