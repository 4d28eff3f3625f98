// Creates a wider discriminator that computes the same function as the narrow one (Net2Wider: Chen et al., "Net2Net:
// accelerating learning via knowledge transfer", ICLR 2016, section 3.1).
#pragma once

#include <torch/nn/module.h>

#include <cstdint>

namespace gan::model {

// `wide` has the layers of `narrow` with k times the channels, for a whole number k. Each channel gets k copies. Each
// outgoing weight is divided randomly among them, because after an equal division the copies would stay identical.
// Norms and their statistics are copied. The divisions depend only on (seed, counter). Not for networks with spectral
// normalisation, which would rescale the copied weights.
void Widen(const torch::nn::Module& narrow, torch::nn::Module& wide, std::uint64_t seed, std::uint64_t counter);

}  // namespace gan::model
