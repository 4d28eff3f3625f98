// Pixels as the networks take them.
#pragma once

#include <cstdint>

namespace gan::data {

// Maps `count` values from 0 ... 255 to -1 ... 1: (value / 255 - 0.5) / 0.5, as torchvision's ToTensor and
// Normalize(0.5, 0.5).
void Normalise(const std::uint8_t* from, float* to, std::int64_t count);

}  // namespace gan::data
