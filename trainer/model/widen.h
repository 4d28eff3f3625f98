// A wider discriminator that computes what the narrow one did (Net2Wider: Chen et al., "Net2Net: accelerating learning
// via knowledge transfer", ICLR 2016, section 3.1).
#pragma once

#include <torch/torch.h>

#include <cstdint>

namespace gan::model {

// `wide` has the layers of `narrow` with k times the channels, k a whole number. Each channel gets k copies; each
// weight that leaves it is split among them at random (an equal split would leave the copies identical for ever); norms
// and their statistics are copied. The splits are functions of (seed, counter) alone. Spectral normalisation would undo
// the copying: not for such networks.
void Widen(const torch::nn::Module& narrow, torch::nn::Module& wide, std::uint64_t seed, std::uint64_t counter);

}  // namespace gan::model
