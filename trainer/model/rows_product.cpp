#include "trainer/model/rows_product.h"

#include <algorithm>

#include "trainer/model/register_product.h"

namespace gan::model {

namespace {

constexpr std::size_t kDepth = kRowsProductRoom / kRowsProductColumns;
constexpr std::size_t kLine = 16;  // floats in a cache line

// Reading b from memory takes as long as multiplying, so both happen at once: while the panels of one block are
// multiplied, the next block is fetched, a part with each panel. Consecutive rows of a block lie on different pages,
// where the processor's own prefetching does not reach.

// A part of b: `depth` rows from row k on, `columns` columns from `column` on.
struct Block {
  std::size_t k = 0, depth = 0, column = 0, columns = 0;
};

// The blocks of b's columns [begin, end). All blocks of the same columns follow each other, so that their sums stay in
// the cache.
struct Blocks {
  std::size_t begin, end, depth;

  std::size_t high() const { return (depth + kDepth - 1) / kDepth; }
  std::size_t count() const { return (end - begin + kRowsProductColumns - 1) / kRowsProductColumns * high(); }
  // Returns an empty block after the last one.
  Block at(std::size_t i) const {
    if (i >= count()) return {};
    const std::size_t k = i % high() * kDepth, column = begin + i / high() * kRowsProductColumns;
    return {k, std::min(kDepth, depth - k), column, std::min(kRowsProductColumns, end - column)};
  }
};

// Panels of kPanel columns, so that the products read memory in order.
GAN_AVX2 void Pack(const RowsProduct& product, const Block& block, float* panels) {
  for (std::size_t k = 0; k < block.depth; ++k) {
    const float* from = product.b + (block.k + k) * product.columns + block.column;
    for (std::size_t column = 0; column < block.columns; column += kPanel) {
      float* to = panels + column * block.depth + k * kPanel;
      At(to) = At(from + column);
      At(to + kVector) = At(from + column + kVector);
    }
  }
}

// Fetches a block from memory while another one is multiplied: part `part` of `parts` of its rows.
void Prefetch(const RowsProduct& product, const Block& block, std::size_t part, std::size_t parts) {
  for (std::size_t k = part * block.depth / parts; k < (part + 1) * block.depth / parts; ++k) {
    const float* row = product.b + (block.k + k) * product.columns + block.column;
    // locality 2: into the second level of the cache; a block does not fit into the first.
    for (std::size_t column = 0; column < block.columns; column += kLine) {
      __builtin_prefetch(row + column, /*write=*/0, /*locality=*/2);
    }
  }
}

}  // namespace

GAN_AVX2 void MultiplyColumns(const RowsProduct& product, std::size_t begin, std::size_t end, float* room) {
  const Blocks blocks = {begin, end, product.depth};
  for (std::size_t i = 0; i < blocks.count(); ++i) {
    const Block block = blocks.at(i), next = blocks.at(i + 1);
    Pack(product, block, room);
    for (std::size_t panel = 0; panel < block.columns; panel += kPanel) {
      Prefetch(product, next, panel / kPanel, block.columns / kPanel);
      MultiplyPanel({product.a + block.k, product.depth, 1}, product.rows, room + panel * block.depth, kPanel,
                    block.depth,
                    /*add=*/block.k > 0, product.c + block.column + panel, product.columns);
    }
  }
}

}  // namespace gan::model
