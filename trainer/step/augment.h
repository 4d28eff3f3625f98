// Differentiable augmentation of D's inputs, applied to real and generated images, so that G's gradient micro_batches
// through it as well: colour (brightness, saturation, contrast), translation by up to an eighth of the side, cutout of
// half the side (Zhao et al., "Differentiable augmentation for data-efficient GAN training", NeurIPS 2020, and its
// public code).
#pragma once

#include <torch/torch.h>

#include <cstdint>

namespace gan::step {

// Selects the random numbers: image i of a batch uses those of (seed, first_image + i, use), on any rank.
struct AugmentKey {
  enum class Use : std::uint32_t { kReal = 0, kFakeForDiscriminator = 1, kFakeForGenerator = 2 };
  std::uint64_t seed = 0;
  std::uint64_t first_image = 0;  // the batch's first image among all images of the run
  Use use = Use::kReal;
};

inline constexpr std::int64_t kAugmentDraws = 12;  // random numbers per image
// Uniform in [0, 1): double [count, kAugmentDraws]. The first five decide which operations are applied to an image
// (brightness, saturation, contrast, translation, cutout: number < probability). The others are strengths: one per
// colour operation, then rows and columns of the translation, then those of the cutout.
torch::Tensor AugmentDraws(const AugmentKey& key, std::int64_t count);

// images: float [N, 3, R, R]; draws as above. Each operation is applied to each image with `probability` (1: always).
torch::Tensor Augment(const torch::Tensor& images, const torch::Tensor& draws, double probability);

}  // namespace gan::step
