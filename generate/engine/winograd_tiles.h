// The additions of Winograd's F(2x2, 2x2) for the four phases of a transposed 4x4 convolution of stride 2, for 16 tiles
// of one channel at a time (winograd.h). Always inlined into kernels.cpp, which compiles them for every kind of
// processor.
//
// Along one side a tile is two input pixels d1, d2 with their neighbours d0 and d3, and becomes four output pixels. The
// even ones need (d0-d1)*w3, d1*(w3+w1), (d1-d2)*w1, the odd ones (d1-d2)*w2, d2*(w2+w0), (d2-d3)*w0: five different
// sums of pixels.
#pragma once

#include <cstddef>

#include "generate/engine/vector.h"

namespace gan::generate {

inline constexpr std::size_t kTiles = 16;     // tiles in a block: the columns of a product
inline constexpr std::size_t kSums = 5;       // sums of pixels per tile, along one side
inline constexpr std::size_t kProducts = 36;  // products per tile: [vertical phase][horizontal phase][3][3]
inline constexpr std::size_t kTileSide = 4;   // output pixels

// The pixels of one channel around a block of tiles, even and odd ones apart, with a border that is zero outside the
// map. A block is 4 rows of 4 tiles, 2 rows of 8 or 1 row of 16.
struct TilePixels {
  static constexpr std::size_t kMostRows = 10;
  static constexpr std::size_t kWidth = 24;  // the first is the border's, then at most 16 and the border again

  std::size_t columns = 0;  // tiles per row: 4, 8 or 16
  float even[kMostRows][kWidth] = {};
  float odd[kMostRows][kWidth] = {};
};

// Adds up the pixels of kFloats tiles side by side. The first tile is at column `x`, and its pixels begin with the row
// `first`. sums: [25] rows, `stride` apart.
template <int kFloats>
[[gnu::always_inline]] inline void SumVector(const TilePixels& pixels, std::size_t first, std::size_t x, float* sums,
                                             std::size_t stride) {
  using V = typename Vector<kFloats>::Type;
  V across[4][kSums];
  for (std::size_t y = 0; y < 4; ++y) {
    const float* even = pixels.even[first + y] + x + 1;
    const float* odd = pixels.odd[first + y] + x;  // begins one tile to the left
    const V d0 = At<kFloats>(odd), d1 = At<kFloats>(even), d2 = At<kFloats>(odd + 1), d3 = At<kFloats>(even + 1);
    across[y][0] = d0 - d1;
    across[y][1] = d1;
    across[y][2] = d1 - d2;
    across[y][3] = d2;
    across[y][4] = d2 - d3;
  }
  for (std::size_t j = 0; j < kSums; ++j) {
    float* sum = sums + j * stride;
    At<kFloats>(sum) = across[0][j] - across[1][j];
    At<kFloats>(sum + kSums * stride) = across[1][j];
    At<kFloats>(sum + 2 * kSums * stride) = across[1][j] - across[2][j];
    At<kFloats>(sum + 3 * kSums * stride) = across[2][j];
    At<kFloats>(sum + 4 * kSums * stride) = across[2][j] - across[3][j];
  }
}

// sums: [25][16 tiles], rows `stride` apart.
template <int kFloats>
[[gnu::always_inline]] inline void SumVectors(const TilePixels& pixels, float* sums, std::size_t stride) {
  for (std::size_t tile = 0; tile < kTiles; tile += kFloats) {
    SumVector<kFloats>(pixels, 2 * (tile / pixels.columns), tile % pixels.columns, sums + tile, stride);
  }
}

template <int kFloats>
[[gnu::always_inline]] inline void SumTiles(const TilePixels& pixels, float* sums, std::size_t stride) {
  if (pixels.columns % kFloats == 0) return SumVectors<kFloats>(pixels, sums, stride);
  SumVectors<4>(pixels, sums, stride);
}

// The two output pixels of one phase along one side, from its three products.
template <int kFloats>
struct Pair {
  typename Vector<kFloats>::Type first, second;
};
template <int kFloats>
[[gnu::always_inline]] inline Pair<kFloats> Join(const typename Vector<kFloats>::Type& m0,
                                                 const typename Vector<kFloats>::Type& m1,
                                                 const typename Vector<kFloats>::Type& m2) {
  return {m0 + m1, m1 - m2};
}

// Computes the pixels of one phase for kFloats tiles from its 9 products, which are `stride` apart. pixels[0][0] is the
// upper left pixel of each tile.
template <int kFloats>
[[gnu::always_inline]] inline void JoinPhase(const float* products, std::size_t stride,
                                             typename Vector<kFloats>::Type (&pixels)[2][2]) {
  Pair<kFloats> down[3];
  for (std::size_t j = 0; j < 3; ++j) {
    const float* m = products + j * stride;
    down[j] = Join<kFloats>(At<kFloats>(m), At<kFloats>(m + 3 * stride), At<kFloats>(m + 6 * stride));
  }
  const Pair<kFloats> upper = Join<kFloats>(down[0].first, down[1].first, down[2].first);
  const Pair<kFloats> lower = Join<kFloats>(down[0].second, down[1].second, down[2].second);
  pixels[0][0] = upper.first;
  pixels[0][1] = upper.second;
  pixels[1][0] = lower.first;
  pixels[1][1] = lower.second;
}

// Four pixels of each of four tiles: from column by column, kTiles apart, to tile by tile.
[[gnu::always_inline]] inline void Transpose(const float* columns, float* tiles) {
  using V = Vector<4>::Type;
  const V a = At<4>(columns), b = At<4>(columns + kTiles), c = At<4>(columns + 2 * kTiles),
          d = At<4>(columns + 3 * kTiles);
  const V ab = __builtin_shufflevector(a, b, 0, 4, 1, 5), cd = __builtin_shufflevector(c, d, 0, 4, 1, 5);
  const V ab_high = __builtin_shufflevector(a, b, 2, 6, 3, 7), cd_high = __builtin_shufflevector(c, d, 2, 6, 3, 7);
  At<4>(tiles) = __builtin_shufflevector(ab, cd, 0, 1, 4, 5);
  At<4>(tiles + 4) = __builtin_shufflevector(ab, cd, 2, 3, 6, 7);
  At<4>(tiles + 8) = __builtin_shufflevector(ab_high, cd_high, 0, 1, 4, 5);
  At<4>(tiles + 12) = __builtin_shufflevector(ab_high, cd_high, 2, 3, 6, 7);
}

// products: [36][16 tiles], rows `stride` apart. rows: the 4 rows of output pixels, [4][16 tiles][4].
template <int kFloats>
[[gnu::always_inline]] inline void JoinTiles(const float* products, std::size_t stride, float* rows) {
  float columns[4][4][kTiles];  // [row][column][tile]
  for (std::size_t phase = 0; phase < 4; ++phase) {
    const std::size_t p = phase / 2, q = phase % 2;
    for (std::size_t tile = 0; tile < kTiles; tile += kFloats) {
      typename Vector<kFloats>::Type pixels[2][2];
      JoinPhase<kFloats>(products + phase * 9 * stride + tile, stride, pixels);
      At<kFloats>(columns[p][q] + tile) = pixels[0][0];
      At<kFloats>(columns[p][2 + q] + tile) = pixels[0][1];
      At<kFloats>(columns[2 + p][q] + tile) = pixels[1][0];
      At<kFloats>(columns[2 + p][2 + q] + tile) = pixels[1][1];
    }
  }
  for (std::size_t row = 0; row < 4; ++row) {
    for (std::size_t tile = 0; tile < kTiles; tile += 4) {
      Transpose(columns[row][0] + tile, rows + (row * kTiles + tile) * kTileSide);
    }
  }
}

}  // namespace gan::generate
