// The innermost part of the products of this folder: some rows x 16 columns whose sums stay in registers.
#pragma once

#include <cstddef>

#include "trainer/model/vector.h"

namespace gan::model {

// a(r, k) = values[r * row + k * step]: the left matrix of a product.
struct Left {
  const float* values;
  std::size_t row, step;
};

// c [kCount][16] = a [kCount][depth] x b [depth][16], or added to c. The rows of b are `step` apart, those of c `row`.
// Every number is the sum over k = 0, 1, 2, ... For functions that are compiled with GAN_AVX2; six rows keep its
// registers busy.
template <std::size_t kCount>
[[gnu::always_inline]] inline void MultiplyRows(const Left& a, const float* b, std::size_t step, std::size_t depth,
                                                bool add, float* c, std::size_t row) {
  V sums[kCount][2] = {};
  for (std::size_t r = 0; add && r < kCount; ++r) {
    sums[r][0] = At(c + r * row);
    sums[r][1] = At(c + r * row + kVector);
  }
  for (std::size_t k = 0; k < depth; ++k) {
    const V first = At(b + k * step), second = At(b + k * step + kVector);
    for (std::size_t r = 0; r < kCount; ++r) {
      const float left = a.values[r * a.row + k * a.step];
      sums[r][0] += left * first;
      sums[r][1] += left * second;
    }
  }
  for (std::size_t r = 0; r < kCount; ++r) {
    At(c + r * row) = sums[r][0];
    At(c + r * row + kVector) = sums[r][1];
  }
}

}  // namespace gan::model
