#include "generate/project/feature_gradient.h"

#include <tbb/parallel_for.h>

#include <cmath>

#include "generate/engine/kernels.h"

namespace gan::project {

using generate::kTileColumns;

namespace {

constexpr float kLeak = 0.2F;
constexpr std::size_t kLeastSide = 4;  // of a map in blocks of 16 pixels

// One group of a norm that is computed per image: all channels of an image, or one of them. Values of channel c are in
// blocks.
struct Group {
  std::size_t channels, pixels, begin, end;  // channels [begin, end) of all channels

  template <typename Visit>
  void ForEach(std::size_t image, const Visit& visit) const {
    for (std::size_t block = 0; block < pixels / kTileColumns; ++block) {
      for (std::size_t c = begin; c < end; ++c) {
        const std::size_t at = ((image * (pixels / kTileColumns) + block) * channels + c) * kTileColumns;
        for (std::size_t i = at; i < at + kTileColumns; ++i) visit(i, c);
      }
    }
  }
  double size() const { return static_cast<double>((end - begin) * pixels); }
};

std::size_t GroupCount(SampleNorm norm, std::size_t channels) { return norm == SampleNorm::kInstance ? channels : 1; }

Group GroupAt(SampleNorm norm, std::size_t channels, std::size_t pixels, std::size_t group) {
  if (norm == SampleNorm::kInstance) return {channels, pixels, group, group + 1};
  return {channels, pixels, 0, channels};
}

}  // namespace

FeatureGradient::LayerState FeatureGradient::MakeState(const DiscriminatorLayer& layer, std::size_t out_side) {
  // A Conv2d's gradient with respect to its input is the transposed convolution of the same weights.
  const generate::Layer transposed{.in = layer.out, .out = layer.in, .weight = layer.weight, .norm = {}};
  const std::size_t pixels = out_side * out_side;
  return {layer.norm,
          layer.scale,
          layer.shift,
          layer.out,
          pixels,
          layer.out * pixels,
          layer.in * 4 * pixels,
          DownConvolution(layer.weight, layer.out, layer.in, out_side),
          generate::PackedConvolution(transposed, std::vector<float>(layer.in, 1), out_side)};
}

FeatureGradient::FeatureGradient(const Discriminator& discriminator, std::size_t side) {
  for (const DiscriminatorLayer& layer : discriminator.layers) {
    side /= 2;
    if (side < kLeastSide) return;
    layers_.push_back(MakeState(layer, side));
  }
}

std::span<const float> FeatureGradient::features(std::size_t layer) const {
  return {layers_[layer].output.data(), images_ * layers_[layer].floats};
}

void FeatureGradient::Normalise(LayerState& layer, std::size_t image) const {
  const std::size_t groups = GroupCount(layer.norm, layer.channels);
  for (std::size_t g = 0; g < groups; ++g) {
    const Group group = GroupAt(layer.norm, layer.channels, layer.pixels, g);
    double sum = 0, squares = 0;
    group.ForEach(image, [&](std::size_t i, std::size_t) { sum += double{layer.output[i]}; });
    const double mean = sum / group.size();
    group.ForEach(image, [&](std::size_t i, std::size_t) {
      squares += (double{layer.output[i]} - mean) * (double{layer.output[i]} - mean);
    });
    const double inverse = 1 / std::sqrt(squares / group.size() + generate::kBatchNormEpsilon);
    layer.inverse_deviations[image * groups + g] = static_cast<float>(inverse);
    group.ForEach(image, [&](std::size_t i, std::size_t c) {
      layer.normalised[i] = static_cast<float>((double{layer.output[i]} - mean) * inverse);
      // The shift is left out, because Activate adds it whether or not there is a norm.
      layer.output[i] = layer.normalised[i] * layer.scale[c];
    });
  }
}

void FeatureGradient::Activate(LayerState& layer, std::size_t image) {
  const Group all{layer.channels, layer.pixels, 0, layer.channels};
  all.ForEach(image, [&](std::size_t i, std::size_t c) {
    const float value = layer.output[i] + layer.shift[c];
    layer.output[i] = value > 0 ? value : kLeak * value;
  });
}

void FeatureGradient::Forward(std::span<const float> images) {
  images_ = images.size() / layers_.front().input_floats;
  const float* input = images.data();
  for (LayerState& layer : layers_) {
    layer.output.resize(images_ * layer.floats);
    layer.down.Run(input, images_, layer.output.data());
    if (layer.norm != SampleNorm::kNone) {
      layer.normalised.resize(layer.output.size());
      layer.inverse_deviations.resize(images_ * GroupCount(layer.norm, layer.channels));
    }
    tbb::parallel_for(std::size_t{0}, images_, [&](std::size_t image) {
      if (layer.norm != SampleNorm::kNone) Normalise(layer, image);
      Activate(layer, image);
    });
    input = layer.output.data();
  }
}

// With n = (x - mean) / deviation over a group: dx = (dn - mean(dn) - n mean(dn n)) / deviation.
void FeatureGradient::ThroughNorm(const LayerState& layer, std::size_t image, std::vector<float>& gradient) {
  const std::size_t groups = GroupCount(layer.norm, layer.channels);
  for (std::size_t g = 0; g < groups; ++g) {
    const Group group = GroupAt(layer.norm, layer.channels, layer.pixels, g);
    double sum = 0, product = 0;
    group.ForEach(image, [&](std::size_t i, std::size_t c) {
      gradient[i] *= layer.scale[c];
      sum += double{gradient[i]};
      product += double{gradient[i]} * double{layer.normalised[i]};
    });
    const double mean = sum / group.size(), along = product / group.size();
    const double inverse = double{layer.inverse_deviations[image * groups + g]};
    group.ForEach(image, [&](std::size_t i, std::size_t) {
      gradient[i] = static_cast<float>((double{gradient[i]} - mean - double{layer.normalised[i]} * along) * inverse);
    });
  }
}

std::span<const float> FeatureGradient::Backward(const std::vector<std::vector<float>>& of_features) {
  gradient_.clear();
  for (std::size_t l = layers_.size(); l-- > 0;) {
    const LayerState& layer = layers_[l];
    const std::vector<float>& own = of_features[l];
    const bool has_later = l + 1 < layers_.size();
    gradient_.resize(images_ * layer.floats);
    tbb::parallel_for(std::size_t{0}, images_, [&](std::size_t image) {
      for (std::size_t i = image * layer.floats; i < (image + 1) * layer.floats; ++i) {
        // Each layer's features enter the distance themselves and through all later layers.
        const float total = own[i] + (has_later ? gradient_[i] : 0);
        // LeakyReLU keeps the sign, so its input's sign can be read from the output, and the input need not be kept.
        gradient_[i] = layer.output[i] > 0 ? total : kLeak * total;
      }
      if (layer.norm != SampleNorm::kNone) ThroughNorm(layer, image, gradient_);
    });
    next_.resize(images_ * layer.input_floats);
    const std::vector<float> no_shift(layer.up.out(), 0);
    layer.up.Run(gradient_.data(), images_, no_shift, generate::Activation::kNone, generate::Layout::kBlocks,
                 next_.data());
    std::swap(gradient_, next_);
  }
  return gradient_;
}

}  // namespace gan::project
