// The inner loops that generating spends its time in, each compiled for every kind of processor.
//
// Every number is computed in one fixed order, whatever stands around it: sums over k = 0, 1, 2, ..., then the shares
// of the taps, then the activation. So a picture comes out the same bit for bit whatever the batch and the threads.
#pragma once

#include <cstddef>
#include <vector>

#include "generate/engine/winograd_tiles.h"

namespace gan::generate {

enum class Activation { kNone, kRelu, kTanh };

inline constexpr std::size_t kTaps = 16;         // taps of a 4x4 kernel: the rows of a tile
inline constexpr std::size_t kTileColumns = 16;  // pixels, or latents in the first layer
inline constexpr std::size_t kMostSide = 128;    // side of an input: pictures have at most 256 x 256 pixels

// All shares that reach one row of output pixels, in rows of `side` shares. They are indexed by the tap kx, and come
// from the input row in the same place and from the row above or below it (zeros at the border).
struct RowShares {
  const float* near[4];
  const float* far[4];
};

struct Kernels {
  // c [16, 16] += a [16, depth] x b [depth, 16]. Both a and b are stored as [depth][16] without gaps; rows of c are
  // `row_floats` apart.
  void (*multiply_tile)(const float* a, const float* b, std::size_t depth, float* c, std::size_t row_floats);
  // out [2 side]: the sums of the shares and the shift, activated.
  void (*write_row)(const RowShares& shares, std::size_t side, float shift, Activation activation, float* out);
  // values [count] += shift, activated.
  void (*activate)(float* values, std::size_t count, float shift, Activation activation);
  // sums [25, 16], rows `stride` apart: the sums of the pixels of 16 tiles, for the products of winograd.h.
  void (*sum_tiles)(const TilePixels& pixels, float* sums, std::size_t stride);
  // rows [4, 16 tiles, 4]: the pixels of 16 tiles from products [36, 16], whose rows are `stride` apart.
  void (*join_tiles)(const float* products, std::size_t stride, float* rows);
};

// The kernels for this processor: AVX-512, AVX2, or the plain architecture. Pictures of two kinds of processors may
// differ in the last bits.
const Kernels& FastestKernels();

// All kernels that this processor can run, the fastest last. For tests and bench/.
std::vector<const Kernels*> SupportedKernels();

}  // namespace gan::generate
