#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "generate/engine/convolution.h"
#include "generate/project/discriminator.h"
#include "generate/project/down_convolution.h"

namespace gan::project {

// The features of a discriminator in evaluation mode, and the gradient of a function of them with respect to the image.
// Features are the outputs of each LeakyReLU whose map has at least 4x4 pixels. Runs on CPUs, without LibTorch, on the
// threads of the caller's TBB arena. Not thread-safe: it keeps the values that Backward needs.
class FeatureGradient {
 public:
  FeatureGradient(const Discriminator& discriminator, std::size_t side);

  std::size_t count() const { return layers_.size(); }
  std::size_t floats(std::size_t layer) const { return layers_[layer].floats; }  // per image

  // images: N in Layout::kBlocks, float [N, 3, side, side] in [-1, 1].
  void Forward(std::span<const float> images);
  // The features of layer `layer` from the last Forward: N maps of floats(layer) values each, in Layout::kBlocks.
  std::span<const float> features(std::size_t layer) const;

  // of_features: for each layer the gradient with respect to its features. Returns the gradient with respect to the
  // images, in their layout; valid until the next call.
  std::span<const float> Backward(const std::vector<std::vector<float>>& of_features);

 private:
  struct LayerState {
    SampleNorm norm;
    std::vector<float> scale, shift;
    std::size_t channels, pixels, floats, input_floats;
    DownConvolution down;
    generate::PackedConvolution up;              // the gradient with respect to the input
    std::vector<float> output = {};              // after LeakyReLU
    std::vector<float> normalised = {};          // of a norm per image: values before its scale and shift
    std::vector<float> inverse_deviations = {};  // of a norm per image: [N, groups]
  };

  static LayerState MakeState(const DiscriminatorLayer& layer, std::size_t out_side);
  void Normalise(LayerState& layer, std::size_t image) const;
  static void Activate(LayerState& layer, std::size_t image);
  static void ThroughNorm(const LayerState& layer, std::size_t image, std::vector<float>& gradient);

  std::vector<LayerState> layers_;
  std::size_t images_ = 0;
  std::vector<float> gradient_, next_;
};

}  // namespace gan::project
