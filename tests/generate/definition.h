// Transposed convolutions from their definition, in double, and numbers to try them with.
#pragma once

#include <random>
#include <vector>

#include "generate/engine/generator.h"

namespace gan::generate {

inline std::vector<float> Random(std::size_t count, float deviation, unsigned seed) {
  std::mt19937 generator(seed);
  std::normal_distribution<float> normal(0, deviation);
  std::vector<float> values(count);
  for (float& value : values) value = normal(generator);
  return values;
}

// ConvTranspose2d: [in, side, side] -> [out, 2 side, 2 side] (or 4x4 from one pixel).
inline std::vector<double> ConvolveOne(const Layer& layer, const std::vector<double>& input, std::size_t side) {
  const std::size_t stride = side == 1 ? 1 : 2, padding = side == 1 ? 0 : 1, out_side = side == 1 ? 4 : 2 * side;
  std::vector<double> output(layer.out * out_side * out_side);
  for (std::size_t i = 0; i < output.size() && !layer.bias.empty(); ++i) {
    output[i] = double{layer.bias[i / (out_side * out_side)]};
  }
  for (std::size_t i = 0; i < layer.in * side * side * layer.out * 16; ++i) {
    const std::size_t tap = i % 16, o = i / 16 % layer.out, p = i / 16 / layer.out % (side * side);
    const std::size_t in = i / 16 / layer.out / (side * side);
    const std::size_t y = p / side * stride + tap / 4 - padding, x = p % side * stride + tap % 4 - padding;
    if (y >= out_side || x >= out_side) continue;  // also what would be negative
    output[(o * out_side + y) * out_side + x] +=
        input[in * side * side + p] * double{layer.weight[(in * layer.out + o) * 16 + tap]};
  }
  return output;
}

}  // namespace gan::generate
