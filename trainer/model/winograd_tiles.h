// The convolutions of strided.h with fewer multiplications (docs/decisions/0010-convolutions.md), on plain memory. For
// processors with AVX2, without LibTorch; each function runs on the caller's thread.
//
// A convolution of 4x4 taps and stride 2 is four 2x2 convolutions, one per phase of the large map. Winograd's F(2x2,
// 2x2) computes each with 9 products for four pixels instead of 16. A tile is 2x2 pixels of the small map and the 6x6
// pixels of the large map around it. Each of its 9 products has the four phases' channels on one side and the small
// map's channels on the other. The convolution downwards, the one upwards and the gradient of the weight are each
// other's transposes, product by product and transform by transform.
#pragma once

#include <cstddef>

namespace gan::model {

inline constexpr std::size_t kWinogradProducts = 9;
inline constexpr std::size_t kWinogradPhases = 4;
inline constexpr std::size_t kWinogradPanel = 16;  // channels: the columns of a product that stay in registers

// The shape of a convolution. Both maps are NHWC, the weight is [small][4][4][large]. Both numbers of channels are
// multiples of kWinogradPanel, side is even.
struct WinogradShape {
  std::size_t images = 0, large = 0, small = 0;  // images, and channels of the large and of the small map
  std::size_t side = 0;                          // of the small map

  std::size_t tiles() const { return images * tiles_of_image(); }
  std::size_t tiles_of_image() const { return side * side / 4; }
  std::size_t phases() const { return kWinogradPhases * large; }
  std::size_t factors() const { return kWinogradProducts * phases() * small; }
  // The length of a row of transformed pixels. Rows a power of two apart would map to the same cache lines.
  std::size_t large_row() const { return phases() + kWinogradPanel; }
  std::size_t small_row() const { return small + kWinogradPanel; }
};

// Tiles [begin, end), transformed into 9 matrices of `rows` rows each; rows >= end - begin.
struct WinogradTiles {
  std::size_t begin = 0, end = 0, rows = 0;
};

// Transforms the weight for the convolution downwards: factors [9][small / 16][phases][16], panels [begin, end) of the
// small channels.
void FactorsDown(const WinogradShape& shape, const float* weight, std::size_t begin, std::size_t end, float* factors);
// Transforms the weight for the convolution upwards: factors [9][phases / 16][small][16], panels [begin, end) of the
// large channels.
void FactorsUp(const WinogradShape& shape, const float* weight, std::size_t begin, std::size_t end, float* factors);
// The transpose of both, for the gradient of the weight: from [9][phases][small], panels [begin, end) of the small
// channels.
void WeightOfFactors(const WinogradShape& shape, const float* factors, std::size_t begin, std::size_t end,
                     float* weight);

// Transforms pixels: of the large map into sums [9][rows][large_row()], of the small map into sums
// [9][rows][small_row()].
void SumLarge(const WinogradShape& shape, const float* large, const WinogradTiles& tiles, float* sums);
void SumSmall(const WinogradShape& shape, const float* small, const WinogradTiles& tiles, float* sums);
// The transposes of these two: AddLarge adds to the large map, JoinSmall sets the pixels of the small map. edge: memory
// for large() floats.
void AddLarge(const WinogradShape& shape, const float* sums, const WinogradTiles& tiles, float* large, float* edge);
void JoinSmall(const WinogradShape& shape, const float* sums, const WinogradTiles& tiles, float* small);

// The products. DownProducts: from sums of the large map to those of the small map; UpProducts: the reverse.
void DownProducts(const WinogradShape& shape, const float* large_sums, const float* factors, const WinogradTiles& tiles,
                  float* small_sums);
void UpProducts(const WinogradShape& shape, const float* small_sums, const float* factors, const WinogradTiles& tiles,
                float* large_sums);
// Adds to factors [9][phases][small], or sets them: product `product`, phases [begin, end).
void WeightProduct(const WinogradShape& shape, const float* large_sums, const float* small_sums,
                   const WinogradTiles& tiles, std::size_t product, std::size_t begin, std::size_t end, bool add,
                   float* factors);

}  // namespace gan::model
