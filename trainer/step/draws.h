// The random numbers of a batch that neither network sees. They are made beside the batch, so that a step draws
// nothing.
#pragma once

#include <torch/types.h>

#include <cstdint>

namespace gan::step {

// The use of a row of augmentation numbers: real and generated images get independent ones.
enum class AugmentUse : std::int64_t { kReal, kFakeForDiscriminator, kFakeForGenerator };
inline constexpr std::int64_t kAugmentUses = 3;
inline constexpr std::int64_t kAugmentDraws = 12;  // random numbers per image and use

// Uniform in [0, 1), float64 on the device of the batch.
struct Draws {
  // [kAugmentUses, N, kAugmentDraws]. The first five numbers of an image decide which operations are applied to it
  // (brightness, saturation, contrast, translation, cutout: number < probability). The others are strengths: one per
  // colour operation, then rows and columns of the translation, then those of the cutout.
  torch::Tensor augment = {};
  // [N]. WGAN-GP's penalty: the position of each pair's point between its real and its generated image.
  torch::Tensor mix = {};
};

// Image i of the batch gets the numbers of (seed, first_image + i), on any rank. first_image: number of the batch's
// first image among all images of the run.
Draws DrawsOf(std::uint64_t seed, std::uint64_t first_image, std::int64_t count, torch::Device device);

}  // namespace gan::step
