// The innermost part of the matrix products of this folder: the sums of some rows x kPanel columns stay in registers.
// For functions that are compiled with GAN_AVX2.
#pragma once

#include <cstddef>

#include "trainer/model/vector.h"

namespace gan::model {

inline constexpr std::size_t kPanel = 2 * kVector;  // columns

// a(r, k) = values[r * row + k * step]: the left matrix of a product.
struct Left {
  const float* values;
  std::size_t row, step;
};

// c [kCount][kPanel] = a [kCount][depth] x b [depth][kPanel], or added to c. The rows of b are `step` apart, those of c
// `row`. Every number is the sum over k = 0, 1, 2, ...
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

// Computes c for any number of rows; six at a time keep the registers busy.
[[gnu::always_inline]] inline void MultiplyPanel(const Left& a, std::size_t rows, const float* b, std::size_t step,
                                                 std::size_t depth, bool add, float* c, std::size_t row) {
  std::size_t r = 0;
  const auto left = [&] { return Left{a.values + r * a.row, a.row, a.step}; };
  for (; r + 6 <= rows; r += 6) MultiplyRows<6>(left(), b, step, depth, add, c + r * row, row);
  for (; r + 2 <= rows; r += 2) MultiplyRows<2>(left(), b, step, depth, add, c + r * row, row);
  if (r < rows) MultiplyRows<1>(left(), b, step, depth, add, c + r * row, row);
}

}  // namespace gan::model
