#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "generate/engine/convolution.h"
#include "generate/engine/generator.h"
#include "generate/project/down_convolution.h"

namespace gan::project {

// A generator in evaluation mode and its gradient with respect to its inputs: the latents, each with the row of its
// class appended where there are classes. Runs on CPUs, without LibTorch. Batch norm is folded into the weights, so the
// images are those of generate::Engine. Uses the threads of the TBB arena it is called in. Not thread-safe: it keeps
// the values that Backward needs.
class GeneratorGradient {
 public:
  explicit GeneratorGradient(const generate::Generator& generator);

  std::size_t inputs() const { return layers_.front().up.in(); }
  std::size_t side() const { return layers_.back().up.out_side(); }
  std::size_t image_floats() const { return 3 * side() * side(); }

  // inputs: float [N, inputs()] -> N images in [-1, 1], in Layout::kBlocks; valid until the next call.
  std::span<const float> Forward(std::span<const float> inputs);

  // The gradient, [N, inputs()], of a scalar function of the images. of_images: the function's gradient with respect to
  // the images of the last Forward, in their layout. Valid until the next call.
  std::span<const float> Backward(std::span<const float> of_images);

 private:
  struct LayerState {
    generate::PackedConvolution up;
    std::vector<float> shift;
    generate::Activation activation;
    std::vector<DownConvolution> down;  // the gradient; empty for the first layer
    std::vector<float> output = {};
  };

  static void ThroughActivation(const LayerState& layer, std::size_t floats, std::vector<float>& gradient);

  std::vector<LayerState> layers_;
  FirstLayerGradient first_;
  std::size_t images_ = 0;
  std::vector<float> gradient_, next_;
};

}  // namespace gan::project
