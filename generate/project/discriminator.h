#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "generate/engine/load.h"

namespace gan::project {

// The norm after a convolution of D that must be computed per image. Batch norm in evaluation mode is folded into the
// weights.
enum class SampleNorm { kNone, kLayer, kInstance };

// Conv2d of 4x4 taps (stride 2, padding 1, no bias), the norm, LeakyReLU(0.2).
struct DiscriminatorLayer {
  std::size_t in = 0, out = 0;
  std::vector<float> weight;  // float [out, in, 4, 4]
  SampleNorm norm = SampleNorm::kNone;
  std::vector<float> scale, shift;  // float [out], of the norm; without a norm the scale is in the weights
};

// The DCGAN discriminator of trainer/model without its last two layers, which compute the logit.
struct Discriminator {
  std::vector<DiscriminatorLayer> layers;
};

// The discriminator beside the generator in its checkpoint; empty when the source has none (an exported folder, a
// weights file) or one of another architecture. Throws DataError: a tensor that is missing, of another shape or not
// finite.
std::optional<Discriminator> LoadDiscriminator(const generate::TrainedGenerator& trained);

}  // namespace gan::project
