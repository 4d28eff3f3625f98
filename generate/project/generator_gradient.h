#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "generate/engine/convolution.h"
#include "generate/engine/generator.h"
#include "generate/project/down_convolution.h"

namespace gan::project {

// A generator in evaluation mode with its gradient with respect to its inputs (the latents, with the row of a class
// joined to each where there are classes), on CPUs and without LibTorch: batch norm is folded into the weights as in
// generate::Engine, whose images these are. Uses the threads of the TBB arena it is called in. Not thread-safe: it
// keeps what Backward needs.
class GeneratorGradient {
 public:
  explicit GeneratorGradient(const generate::Generator& generator);

  std::size_t inputs() const { return layers_.front().up.in(); }
  std::size_t side() const { return layers_.back().up.out_side(); }
  std::size_t image_floats() const { return 3 * side() * side(); }

  // inputs: float [N, inputs()] -> N images in [-1, 1], in Layout::kBlocks; valid until the next call.
  std::span<const float> Forward(std::span<const float> inputs);

  // The gradient [N, inputs()] of a number whose gradient with respect to the images of the last Forward is
  // `of_images`, in their layout. Valid until the next call.
  std::span<const float> Backward(std::span<const float> of_images);

 private:
  struct LayerState {
    generate::PackedConvolution up;
    std::vector<float> shift;
    generate::Activation activation;
    std::vector<DownConvolution> down;  // the gradient; of the first layer: none
    std::vector<float> output = {};
  };

  static void ThroughActivation(const LayerState& layer, std::size_t floats, std::vector<float>& gradient);

  std::vector<LayerState> layers_;
  FirstLayerGradient first_;
  std::size_t images_ = 0;
  std::vector<float> gradient_, next_;
};

}  // namespace gan::project
