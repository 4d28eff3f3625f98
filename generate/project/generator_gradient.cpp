#include "generate/project/generator_gradient.h"

#include <tbb/blocked_range.h>
#include <tbb/parallel_for.h>

#include "generate/engine/engine.h"

namespace gan::project {

namespace {

constexpr std::size_t kFloatsPerTask = 1U << 14;

// The weights [in, out, 4, 4], each output channel multiplied by its factor of batch norm. The gradient needs the same
// factors as the image.
std::vector<float> Scaled(const generate::Layer& layer, const std::vector<float>& scale) {
  std::vector<float> weight = layer.weight;
  for (std::size_t i = 0; i < weight.size(); ++i) weight[i] *= scale[i / generate::kTaps % layer.out];
  return weight;
}

FirstLayerGradient FirstOf(const generate::Layer& layer) {
  return {Scaled(layer, generate::FoldNorm(layer).scale), layer.in, layer.out};
}

void EnsureSize(std::vector<float>& values, std::size_t floats) {
  if (values.size() < floats) values.resize(floats);
}

}  // namespace

GeneratorGradient::GeneratorGradient(const generate::Generator& generator) : first_(FirstOf(generator.layers.front())) {
  std::size_t side = 1;
  for (const generate::Layer& layer : generator.layers) {
    generate::FoldedNorm norm = generate::FoldNorm(layer);
    LayerState state{generate::PackedConvolution(layer, norm.scale, side),
                     std::move(norm.shift),
                     layer.norm ? generate::Activation::kRelu : generate::Activation::kTanh,
                     {}};
    // The first layer's input is one pixel, so its gradient is a plain product (FirstLayerGradient).
    if (side > 1) state.down.emplace_back(Scaled(layer, norm.scale), layer.in, layer.out, side);
    layers_.push_back(std::move(state));
    side = layers_.back().up.out_side();
  }
}

std::span<const float> GeneratorGradient::Forward(std::span<const float> inputs) {
  images_ = inputs.size() / this->inputs();
  const float* input = inputs.data();
  for (LayerState& layer : layers_) {
    EnsureSize(layer.output, images_ * layer.up.out() * layer.up.out_pixels());
    layer.up.Run(input, images_, layer.shift, layer.activation, generate::Layout::kBlocks, layer.output.data());
    input = layer.output.data();
  }
  return {input, images_ * image_floats()};
}

// Both derivatives follow from the output: ReLU's is 1 where it is above 0, tanh's is 1 - tanh^2.
void GeneratorGradient::ThroughActivation(const LayerState& layer, std::size_t floats, std::vector<float>& gradient) {
  const bool relu = layer.activation == generate::Activation::kRelu;
  tbb::parallel_for(tbb::blocked_range<std::size_t>(0, floats, kFloatsPerTask),
                    [&](const tbb::blocked_range<std::size_t>& part) {
                      for (std::size_t i = part.begin(); i < part.end(); ++i) {
                        const float y = layer.output[i];
                        gradient[i] *= relu ? (y > 0 ? 1.0F : 0.0F) : 1 - y * y;
                      }
                    });
}

std::span<const float> GeneratorGradient::Backward(std::span<const float> of_images) {
  gradient_.assign(of_images.begin(), of_images.end());
  for (std::size_t i = layers_.size(); i-- > 0;) {
    const LayerState& layer = layers_[i];
    ThroughActivation(layer, images_ * layer.up.out() * layer.up.out_pixels(), gradient_);
    EnsureSize(next_, images_ * layer.up.in() * layer.up.in_pixels());
    if (i > 0) {
      layer.down.front().Run(gradient_.data(), images_, next_.data());
    } else {
      first_.Run(gradient_.data(), images_, next_.data());
    }
    std::swap(gradient_, next_);
  }
  return {gradient_.data(), images_ * inputs()};
}

}  // namespace gan::project
