// One transposed convolution of the generator with what follows it, on all threads of the caller's TBB arena.
//
// A product of the weights with the pixels gives every tap's share of the output ("col2im", as Caffe and PyTorch do on
// CPUs, here a few channels at a time so that the shares never leave the cache); adding up the shares in a fixed order,
// the shift and the activation happen in one pass. Layers for which WinogradConvolution is faster are left to it.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

#include "generate/engine/generator.h"
#include "generate/engine/kernels.h"
#include "generate/engine/layout.h"
#include "generate/engine/winograd.h"

namespace gan::generate {

// kFaster: WinogradConvolution for shapes where it is faster, otherwise the product with all taps. kAllTaps: always
// that product.
enum class Algorithm { kFaster, kAllTaps };

// Weights laid out for the product, each output channel multiplied by its scale.
class PackedConvolution {
 public:
  // scale: float [out]. in_side: 1 for the first layer, else the side of its input. kernels: must outlive it.
  PackedConvolution(const Layer& layer, std::span<const float> scale, std::size_t in_side,
                    Algorithm algorithm = Algorithm::kFaster, const Kernels& kernels = FastestKernels());

  std::size_t in() const { return in_; }
  std::size_t out() const { return out_; }
  std::size_t in_pixels() const { return in_side_ * in_side_; }
  std::size_t out_side() const { return in_side_ == 1 ? 4 : 2 * in_side_; }
  std::size_t out_pixels() const { return out_side() * out_side(); }

  // input: latents [N, in] for the first layer, else N pictures in blocks; shift: float [out]; output: N pictures.
  void Run(const float* input, std::size_t images, std::span<const float> shift, Activation activation, Layout layout,
           float* output) const;

 private:
  struct Task;
  void RunFirst(const float* latents, std::size_t images, std::span<const float> shift, Activation activation,
                float* output) const;
  void RunTask(const Task& task) const;
  const float* MultiplyShares(const Task& task) const;
  void WritePlane(const float* shares, const Task& task, std::size_t channel) const;

  std::size_t in_, out_, in_side_;
  const Kernels* kernels_;
  std::optional<WinogradConvolution> winograd_;
  std::vector<float> packed_;  // [out][in][16 taps]; empty when winograd_ is used
};

}  // namespace gan::generate
