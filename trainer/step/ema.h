#pragma once

#include <torch/torch.h>

#include <cstdint>

#include "trainer/model/state.h"

namespace gan::step {

// Exponential moving average of a network's weights, what generated pictures are made with (Karras et al., "Analyzing
// and improving the image quality of StyleGAN", 2020; their ramp-up: the half-life is at most 5 % of the images seen).
// Running statistics are not averaged: those of raw weights do not fit averaged ones, so ReestimateStatistics measures
// them anew. Owns its tensors. Not thread-safe.
class Ema {
 public:
  // half_life_images: after so many images an update has lost half its weight; 0 keeps no average.
  Ema(const torch::nn::Module& module, std::uint64_t half_life_images);

  bool active() const { return half_life_images_ > 0; }
  // images: real images of this step and of the whole run, over all ranks. The same on every rank.
  void Update(const torch::nn::Module& module, std::uint64_t images_of_step, std::uint64_t images_of_run);
  // The averaged weights under "<prefix>0.weight" …; empty when not active.
  model::NamedTensors NamedState(const std::string& prefix) const;
  // Writes the averages over the parameters of `module`.
  void CopyTo(torch::nn::Module& module) const;

 private:
  std::uint64_t half_life_images_;
  model::NamedTensors averages_;
};

// Measures the running mean and variance of every batch norm of `generator` on `latents` [N, noise_dim, 1, 1], batch by
// batch, all with equal weight; the generator is left in evaluation mode.
void ReestimateStatistics(torch::nn::Sequential& generator, const torch::Tensor& latents, std::int64_t batch);

}  // namespace gan::step
