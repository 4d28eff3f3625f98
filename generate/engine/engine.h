#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "generate/engine/convolution.h"
#include "generate/engine/generator.h"

namespace gan::generate {

// float [out], zeros where the layer has none.
std::vector<float> BiasOf(const Layer& layer);

// Batch norm and bias after the convolution, combined: multiply each channel by `scale`, then add `shift`. float [out]
// each.
struct FoldedNorm {
  std::vector<float> scale, shift;
};
FoldedNorm FoldNorm(const Layer& layer);

// Runs a generator in evaluation mode on CPUs: batch norm folded into the weights, no LibTorch. A picture depends on
// its latent alone, bit for bit, whatever the batch and the threads; against PyTorch it differs by rounding (below
// 1e-5). Uses the threads of the TBB arena it is called in. Run is not thread-safe: it keeps its buffers.
class Engine {
 public:
  explicit Engine(const Generator& generator);

  std::size_t inputs() const { return layers_.front().convolution.in(); }
  std::size_t side() const { return layers_.back().convolution.out_side(); }

  // inputs: float [N, inputs()] -> float [N, 3, side, side] in [-1, 1]; valid until the next call.
  std::span<const float> Run(std::span<const float> inputs);

 private:
  struct FoldedLayer {
    PackedConvolution convolution;
    std::vector<float> shift;  // float [out]
    Activation activation;
  };

  static FoldedLayer Fold(const Layer& layer, std::size_t in_side);

  std::vector<FoldedLayer> layers_;
  std::vector<float> from_, to_;
};

// Sets the mean and variance of every batch norm to the averages over the batches of `inputs` [N, inputs()], all with
// equal weight, because the running statistics of raw weights do not fit averaged ones (trainer/step/ema.h does the
// same in training). Uses the TBB arena it is called in.
void ReestimateStatistics(Generator& generator, std::span<const float> inputs, std::size_t batch);

}  // namespace gan::generate
