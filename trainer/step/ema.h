#pragma once

#include <torch/nn/modules/container/sequential.h>

#include <cstdint>

#include "trainer/model/state.h"

namespace gan::step {

// Exponential moving average of a network's weights, with which images are generated (Karras et al., "Analyzing and
// improving the image quality of StyleGAN", 2020). As in their ramp-up, the half-life is at most 5 % of the images
// seen. Running statistics are not averaged, because those of the current weights do not fit the averaged ones;
// ReestimateStatistics measures them instead. Owns its tensors. Not thread-safe.
class Ema {
 public:
  // half_life_images: number of images after which the weight of an update is halved; 0 keeps no average.
  Ema(const torch::nn::Module& module, std::uint64_t half_life_images);

  bool active() const { return half_life_images_ > 0; }
  // images_of_step, images_of_run: real images over all ranks, in this step and in the whole run. The same on every
  // rank.
  void Update(const torch::nn::Module& module, std::uint64_t images_of_step, std::uint64_t images_of_run);
  // The averaged weights as "<prefix>0.weight" and so on. Empty when not active.
  model::NamedTensors NamedState(const std::string& prefix) const;
  // Overwrites the parameters of `module` with the averages.
  void CopyTo(torch::nn::Module& module) const;

 private:
  std::uint64_t half_life_images_;
  model::NamedTensors averages_;
};

// Measures the running mean and variance of every batch norm of `generator` on `latents` [N, noise_dim, 1, 1], in
// batches of equal weight. The generator is left in evaluation mode.
void ReestimateStatistics(torch::nn::Sequential& generator, const torch::Tensor& latents, std::int64_t batch);

}  // namespace gan::step
