// Differentiable augmentation of D's inputs, applied to real and generated images, so that G's gradient passes
// through it as well: colour (brightness, saturation, contrast), translation by up to an eighth of the side, cutout of
// half the side (Zhao et al., "Differentiable augmentation for data-efficient GAN training", NeurIPS 2020, and its
// public code).
#pragma once

#include <torch/types.h>

namespace gan::step {

// images: float [N, 3, R, R]; draws: [N, kAugmentDraws] as Draws::augment describes it; both on one device. Each
// operation is applied to each image with `probability` (1: always), 0-dim float64 on the same device.
torch::Tensor Augment(const torch::Tensor& images, const torch::Tensor& draws, const torch::Tensor& probability);

}  // namespace gan::step
