// Differentiable augmentation in front of D, for reals and fakes alike and in the way of G's gradient: colour
// (brightness, saturation, contrast), translation by up to an eighth, cutout of half the side (Zhao et al.,
// "Differentiable augmentation for data-efficient GAN training", NeurIPS 2020, and its public code).
#pragma once

#include <torch/torch.h>

#include <cstdint>

namespace gan::step {

// Which random numbers: image i of a batch uses those of (seed, first_image + i, use), on whatever rank it is.
struct AugmentKey {
  enum class Use : std::uint32_t { kReal = 0, kFakeForDiscriminator = 1, kFakeForGenerator = 2 };
  std::uint64_t seed = 0;
  std::uint64_t first_image = 0;  // the batch's first image among all images of the run
  Use use = Use::kReal;
};

inline constexpr std::int64_t kAugmentDraws = 12;  // random numbers an image
// Uniform in [0, 1): double [count, kAugmentDraws]. The first five decide which operations an image undergoes
// (brightness, saturation, contrast, translation, cutout: draw < probability), the rest are their strengths: one for
// each colour operation, then translation's rows and columns, then cutout's.
torch::Tensor AugmentDraws(const AugmentKey& key, std::int64_t count);

// images: float [N, 3, R, R]; draws as above. Each operation meets each image with `probability` (1: always).
torch::Tensor Augment(const torch::Tensor& images, const torch::Tensor& draws, double probability);

}  // namespace gan::step
