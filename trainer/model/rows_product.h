// A few rows times a matrix that is larger than the caches, on plain memory, for processors with AVX2. If such a matrix
// is the weight of a layer, reading it takes as long as the multiplications.
#pragma once

#include <cstddef>

namespace gan::model {

// c [rows][columns] = a [rows][depth] x b [depth][columns], each in row-major order. columns is a multiple of 16.
struct RowsProduct {
  const float *a, *b;
  float* c;
  std::size_t rows, depth, columns;
};

inline constexpr std::size_t kRowsProductColumns = 256;     // columns of a block
inline constexpr std::size_t kRowsProductRoom = 256 * 256;  // floats

// Columns [begin, end) of c, on the caller's thread; both are multiples of 16. room: memory for kRowsProductRoom
// floats. Every number is the sum over k = 0, 1, 2, ..., depth - 1, whatever the columns.
void MultiplyColumns(const RowsProduct& product, std::size_t begin, std::size_t end, float* room);

}  // namespace gan::model
