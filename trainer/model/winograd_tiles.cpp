#include "trainer/model/winograd_tiles.h"

#include <algorithm>

#include "trainer/model/register_product.h"

namespace gan::model {

namespace {

// Products are computed in parts of this depth, so that their panels stay in the cache. In a left matrix that is read
// by columns, every number is on another page, and the processor's TLB has entries for only some of them.
constexpr std::size_t kTilesDepth = 64;
constexpr std::size_t kDepth = 256;
constexpr std::size_t kTile = 6;  // pixels of the large map that a tile reads along one side
// F(2, 2) in one dimension, with pixels d and taps g: y0 = d0 g0 + d1 g1 and y1 = d1 g0 + d2 g1 come from three
// products m0 = (d0 - d1) g0, m1 = d1 (g0 + g1), m2 = (d1 - d2) g1, as y0 = m0 + m1 and y1 = m1 - m2 (Winograd,
// "Arithmetic complexity of computations", 1980; Lavin and Gray, "Fast algorithms for convolutional neural networks",
// CVPR 2016). Applied along both sides it has 9 products. SumLarge computes the factors that depend on d,
// winograd_weights.cpp those that depend on g, and JoinSmall computes y. Their transposes, AddLarge, WeightOfFactors
// and SumSmall, give the gradients.

// b(k) = values[k * step]: the right matrix of a product.
struct Right {
  const float* values;
  std::size_t step, panel;  // panels of 16 columns
};

// Keeps six rows x 16 numbers in registers at a time. c [rows][16 panels] (+)= a [rows][depth] x b [depth][16 panels].
// Every number is the sum over k = 0, 1, 2, ...
GAN_AVX2 void Multiply(const Left& a, std::size_t rows, const Right& b, std::size_t panels, std::size_t depth, bool add,
                       float* c, std::size_t row) {
  const std::size_t most = a.step == 1 ? kDepth : kTilesDepth;
  for (std::size_t k = 0; k < depth; k += most) {
    const std::size_t part = std::min(most, depth - k);
    const bool adds = add || k > 0;
    for (std::size_t p = 0; p < panels; ++p) {
      MultiplyPanel({a.values + k * a.step, a.row, a.step}, rows, b.values + p * b.panel + k * b.step, b.step, part,
                    adds, c + p * kWinogradPanel, row);
    }
  }
}

// The addresses of the 6x6 pixels of a tile; `edge` for those outside of the map.
template <typename Float>
struct TilePixels {
  Float* at[kTile][kTile];

  TilePixels(const WinogradShape& shape, Float* large, std::size_t tile, Float* edge) {
    const std::size_t across = shape.side / 2, side = 2 * shape.side, in_image = tile % shape.tiles_of_image();
    const std::size_t top = 4 * (in_image / across), left = 4 * (in_image % across);
    Float* image = large + tile / shape.tiles_of_image() * side * side * shape.large;
    for (std::size_t y = 0; y < kTile; ++y) {
      for (std::size_t x = 0; x < kTile; ++x) {
        // The tile begins one pixel outside of its 4x4 inner pixels, which may be before the map.
        const bool inside = top + y > 0 && top + y <= side && left + x > 0 && left + x <= side;
        at[y][x] = inside ? image + ((top + y - 1) * side + left + x - 1) * shape.large : edge;
      }
    }
  }
};

// Offset of the first of a tile's 2x2 pixels of the small map.
std::size_t SmallPixel(const WinogradShape& shape, std::size_t tile) {
  const std::size_t across = shape.side / 2, in_image = tile % shape.tiles_of_image();
  const std::size_t row = tile / shape.tiles_of_image() * shape.side + 2 * (in_image / across);
  return (row * shape.side + 2 * (in_image % across)) * shape.small;
}

}  // namespace

// Product 3 i + j is number i vertically and j horizontally.
GAN_AVX2 void SumLarge(const WinogradShape& shape, const float* large, const WinogradTiles& tiles, float* sums) {
  static const float kZeros[kVector] = {};
  const std::size_t step = tiles.rows * shape.large_row();
  for (std::size_t tile = tiles.begin; tile < tiles.end; ++tile) {
    const TilePixels<const float> pixels(shape, large, tile, nullptr);
    for (std::size_t phase = 0; phase < kWinogradPhases; ++phase) {
      const std::size_t top = 1 - phase / 2, left = 1 - phase % 2;  // even pixels come second
      float* row = sums + (tile - tiles.begin) * shape.large_row() + phase * shape.large;
      for (std::size_t c = 0; c < shape.large; c += kVector) {
        V across[3][3];
        for (std::size_t y = 0; y < 3; ++y) {
          V d[3];
          for (std::size_t x = 0; x < 3; ++x) {
            const float* pixel = pixels.at[top + 2 * y][left + 2 * x];
            d[x] = At(pixel == nullptr ? kZeros : pixel + c);
          }
          across[y][0] = d[0] - d[1];
          across[y][1] = d[1];
          across[y][2] = d[1] - d[2];
        }
        for (std::size_t j = 0; j < 3; ++j) {
          At(row + j * step + c) = across[0][j] - across[1][j];
          At(row + (3 + j) * step + c) = across[1][j];
          At(row + (6 + j) * step + c) = across[1][j] - across[2][j];
        }
      }
    }
  }
}

// The transpose of SumLarge. It adds, because neighbouring tiles share pixels of the large map, as do the phases'
// kernels.
GAN_AVX2 void AddLarge(const WinogradShape& shape, const float* sums, const WinogradTiles& tiles, float* large,
                       float* edge) {
  const std::size_t step = tiles.rows * shape.large_row();
  for (std::size_t tile = tiles.begin; tile < tiles.end; ++tile) {
    const TilePixels<float> pixels(shape, large, tile, edge);
    for (std::size_t phase = 0; phase < kWinogradPhases; ++phase) {
      const std::size_t top = 1 - phase / 2, left = 1 - phase % 2;
      const float* row = sums + (tile - tiles.begin) * shape.large_row() + phase * shape.large;
      for (std::size_t c = 0; c < shape.large; c += kVector) {
        V down[3][3];
        for (std::size_t j = 0; j < 3; ++j) {
          const V m0 = At(row + j * step + c), m1 = At(row + (3 + j) * step + c), m2 = At(row + (6 + j) * step + c);
          down[0][j] = m0;
          down[1][j] = m1 - m0 + m2;
          down[2][j] = -m2;
        }
        for (std::size_t y = 0; y < 3; ++y) {
          float* const* at = pixels.at[top + 2 * y] + left;
          At(at[0] + c) += down[y][0];
          At(at[2] + c) += down[y][1] - down[y][0] + down[y][2];
          At(at[4] + c) -= down[y][2];
        }
      }
    }
  }
}

// The transpose of JoinSmall, for the gradient: from the 2x2 pixels of a tile to its 9 products.
GAN_AVX2 void SumSmall(const WinogradShape& shape, const float* small, const WinogradTiles& tiles, float* sums) {
  const std::size_t step = tiles.rows * shape.small_row(), below = shape.side * shape.small;
  for (std::size_t tile = tiles.begin; tile < tiles.end; ++tile) {
    const float* pixel = small + SmallPixel(shape, tile);
    float* row = sums + (tile - tiles.begin) * shape.small_row();
    for (std::size_t k = 0; k < shape.small; k += kVector, pixel += kVector) {
      const V y00 = At(pixel), y01 = At(pixel + shape.small), y10 = At(pixel + below),
              y11 = At(pixel + below + shape.small);
      const V down[3][2] = {{y00, y01}, {y00 + y10, y01 + y11}, {-y10, -y11}};
      for (std::size_t i = 0; i < 3; ++i) {
        At(row + 3 * i * step + k) = down[i][0];
        At(row + (3 * i + 1) * step + k) = down[i][0] + down[i][1];
        At(row + (3 * i + 2) * step + k) = -down[i][1];
      }
    }
  }
}

GAN_AVX2 void JoinSmall(const WinogradShape& shape, const float* sums, const WinogradTiles& tiles, float* small) {
  const std::size_t step = tiles.rows * shape.small_row(), below = shape.side * shape.small;
  for (std::size_t tile = tiles.begin; tile < tiles.end; ++tile) {
    float* pixel = small + SmallPixel(shape, tile);
    const float* row = sums + (tile - tiles.begin) * shape.small_row();
    for (std::size_t k = 0; k < shape.small; k += kVector, pixel += kVector) {
      V upper[3], lower[3];
      for (std::size_t j = 0; j < 3; ++j) {
        const V m0 = At(row + j * step + k), m1 = At(row + (3 + j) * step + k), m2 = At(row + (6 + j) * step + k);
        upper[j] = m0 + m1;
        lower[j] = m1 - m2;
      }
      At(pixel) = upper[0] + upper[1];
      At(pixel + shape.small) = upper[1] - upper[2];
      At(pixel + below) = lower[0] + lower[1];
      At(pixel + below + shape.small) = lower[1] - lower[2];
    }
  }
}

// Both directions use the same factors on the right side, but in different panels. The columns of a panel are read
// together: here they are small channels, in UpProducts large ones.
void DownProducts(const WinogradShape& shape, const float* large_sums, const float* factors, const WinogradTiles& tiles,
                  float* small_sums) {
  for (std::size_t m = 0; m < kWinogradProducts; ++m) {
    const Left left = {large_sums + m * tiles.rows * shape.large_row(), shape.large_row(), 1};
    const Right right = {factors + m * shape.phases() * shape.small, kWinogradPanel, shape.phases() * kWinogradPanel};
    Multiply(left, tiles.end - tiles.begin, right, shape.small / kWinogradPanel, shape.phases(), /*add=*/false,
             small_sums + m * tiles.rows * shape.small_row(), shape.small_row());
  }
}

void UpProducts(const WinogradShape& shape, const float* small_sums, const float* factors, const WinogradTiles& tiles,
                float* large_sums) {
  for (std::size_t m = 0; m < kWinogradProducts; ++m) {
    const Left left = {small_sums + m * tiles.rows * shape.small_row(), shape.small_row(), 1};
    const Right right = {factors + m * shape.phases() * shape.small, kWinogradPanel, shape.small * kWinogradPanel};
    Multiply(left, tiles.end - tiles.begin, right, shape.phases() / kWinogradPanel, shape.small, /*add=*/false,
             large_sums + m * tiles.rows * shape.large_row(), shape.large_row());
  }
}

// The tiles are the inner dimension here, so that the gradient is summed over pixels and images within the product.
void WeightProduct(const WinogradShape& shape, const float* large_sums, const float* small_sums,
                   const WinogradTiles& tiles, std::size_t product, std::size_t begin, std::size_t end, bool add,
                   float* factors) {
  const Left left = {large_sums + product * tiles.rows * shape.large_row() + begin, 1, shape.large_row()};
  const Right right = {small_sums + product * tiles.rows * shape.small_row(), shape.small_row(), kWinogradPanel};
  float* out = factors + (product * shape.phases() + begin) * shape.small;
  for (std::size_t k = 0; k < shape.small; k += kWinogradPanel) {  // so that a panel of the result stays in the cache
    const Right panel = {right.values + k, right.step, right.panel};
    Multiply(left, end - begin, panel, 1, tiles.end - tiles.begin, add, out + k, shape.small);
  }
}

}  // namespace gan::model
