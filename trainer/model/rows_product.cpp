#include "trainer/model/rows_product.h"

#include <algorithm>

#include "trainer/model/register_product.h"

namespace gan::model {

namespace {

constexpr std::size_t kPanel = 16;  // columns of a product in registers
constexpr std::size_t kDepth = kRowsProductRoom / kRowsProductColumns;
constexpr std::size_t kLine = 16;  // floats of a line of the cache

// A part of b: `depth` rows of `columns` numbers.
struct Block {
  const float* values;
  std::size_t depth, columns;
};

Block BlockAt(const RowsProduct& product, std::size_t k, std::size_t column, std::size_t end) {
  return {product.b + k * product.columns + column, std::min(kDepth, product.depth - k),
          std::min(kRowsProductColumns, end - column)};
}

// Panels of 16 columns, so that the products read memory in order.
GAN_AVX2 void Pack(const Block& block, std::size_t row, float* panels) {
  for (std::size_t k = 0; k < block.depth; ++k) {
    const float* from = block.values + k * row;
    for (std::size_t column = 0; column < block.columns; column += kPanel) {
      float* to = panels + column * block.depth + k * kPanel;
      At(to) = At(from + column);
      At(to + kVector) = At(from + column + kVector);
    }
  }
}

// Brings the next block from memory while this one is multiplied: part `part` of `parts` of its rows.
void Prefetch(const Block& block, std::size_t row, std::size_t part, std::size_t parts) {
  for (std::size_t k = part * block.depth / parts; k < (part + 1) * block.depth / parts; ++k) {
    for (std::size_t column = 0; column < block.columns; column += kLine) {
      __builtin_prefetch(block.values + k * row + column, /*write=*/0, /*locality=*/2);
    }
  }
}

GAN_AVX2 void MultiplyPanel(const RowsProduct& product, std::size_t k, std::size_t depth, const float* panel,
                            float* c) {
  const auto left = [&](std::size_t r) { return Left{product.a + r * product.depth + k, product.depth, 1}; };
  std::size_t r = 0;
  for (; r + 6 <= product.rows; r += 6) {
    MultiplyRows<6>(left(r), panel, kPanel, depth, k > 0, c + r * product.columns, product.columns);
  }
  for (; r + 2 <= product.rows; r += 2) {
    MultiplyRows<2>(left(r), panel, kPanel, depth, k > 0, c + r * product.columns, product.columns);
  }
  if (r < product.rows) MultiplyRows<1>(left(r), panel, kPanel, depth, k > 0, c + r * product.columns, product.columns);
}

}  // namespace

void MultiplyColumns(const RowsProduct& product, std::size_t begin, std::size_t end, float* room) {
  for (std::size_t column = begin; column < end; column += kRowsProductColumns) {
    for (std::size_t k = 0; k < product.depth; k += kDepth) {
      const Block block = BlockAt(product, k, column, end);
      const bool is_last = k + kDepth >= product.depth;
      const bool has_next = !is_last || column + kRowsProductColumns < end;
      const Block next =
          has_next ? BlockAt(product, is_last ? 0 : k + kDepth, column + (is_last ? kRowsProductColumns : 0), end)
                   : Block{};
      Pack(block, product.columns, room);
      for (std::size_t panel = 0; panel < block.columns; panel += kPanel) {
        Prefetch(next, product.columns, panel / kPanel, block.columns / kPanel);
        MultiplyPanel(product, k, block.depth, room + panel * block.depth, product.c + column + panel);
      }
    }
  }
}

}  // namespace gan::model
