// What strided.h computes, with fewer multiplications (docs/decisions/0010-convolutions.md), on plain memory: for
// processors with AVX2, without LibTorch, each function on the caller's thread.
//
// A convolution of 4x4 taps and stride 2 is four 2x2 convolutions, one per phase of the large map, and Winograd's
// F(2x2, 2x2) computes each with 9 products for four pixels instead of 16. A tile is 2x2 pixels of the small map and
// the 6x6 of the large map around it. Each of its 9 products has the four phases' channels on one side and the small
// map's channels on the other. Downwards, upwards and the gradient of the weight are each other's transposes, product
// by product and transform by transform.
#pragma once

#include <cstddef>

namespace gan::model {

inline constexpr std::size_t kWinogradProducts = 9;
inline constexpr std::size_t kWinogradPhases = 4;
inline constexpr std::size_t kWinogradPanel = 16;  // channels: the columns of a product in registers

// Both maps NHWC, the weight [small][4][4][large]. Both numbers of channels are multiples of kWinogradPanel, side is
// even.
struct WinogradShape {
  std::size_t images = 0, large = 0, small = 0;  // images, and channels of the large and of the small map
  std::size_t side = 0;                          // of the small map

  std::size_t tiles() const { return images * tiles_of_image(); }
  std::size_t tiles_of_image() const { return side * side / 4; }
  std::size_t phases() const { return kWinogradPhases * large; }
  std::size_t factors() const { return kWinogradProducts * phases() * small; }
  // Rows of transformed pixels; a power of two apart they would fall on the same lines of the cache.
  std::size_t large_row() const { return phases() + kWinogradPanel; }
  std::size_t small_row() const { return small + kWinogradPanel; }
};

// Tiles [begin, end), transformed into 9 matrices of `rows` rows: rows >= end - begin.
struct WinogradTiles {
  std::size_t begin = 0, end = 0, rows = 0;
};

// factors for downwards, [9][small / 16][phases][16]: panels [begin, end) of the small channels.
void FactorsDown(const WinogradShape& shape, const float* weight, std::size_t begin, std::size_t end, float* factors);
// factors for upwards, [9][phases / 16][small][16]: those of panels [begin, end) of the large channels.
void FactorsUp(const WinogradShape& shape, const float* weight, std::size_t begin, std::size_t end, float* factors);
// The transpose of both, from [9][phases][small]: panels [begin, end) of the small channels of the weight.
void WeightOfFactors(const WinogradShape& shape, const float* factors, std::size_t begin, std::size_t end,
                     float* weight);

// Pixels of the large map -> sums [9][rows][large_row()], and pixels of the small one -> sums [9][rows][small_row()].
void SumLarge(const WinogradShape& shape, const float* large, const WinogradTiles& tiles, float* sums);
void SumSmall(const WinogradShape& shape, const float* small, const WinogradTiles& tiles, float* sums);
// Their transposes: AddLarge adds to the map, JoinSmall sets its pixels. edge: room for large() floats.
void AddLarge(const WinogradShape& shape, const float* sums, const WinogradTiles& tiles, float* large, float* edge);
void JoinSmall(const WinogradShape& shape, const float* sums, const WinogradTiles& tiles, float* small);

// The products. DownProduct: sums of the large map -> of the small one; UpProduct: the other way round.
void DownProducts(const WinogradShape& shape, const float* large_sums, const float* factors, const WinogradTiles& tiles,
                  float* small_sums);
void UpProducts(const WinogradShape& shape, const float* small_sums, const float* factors, const WinogradTiles& tiles,
                float* large_sums);
// Adds to factors [9][phases][small], or sets them: product `product`, phases [begin, end).
void WeightProduct(const WinogradShape& shape, const float* large_sums, const float* small_sums,
                   const WinogradTiles& tiles, std::size_t product, std::size_t begin, std::size_t end, bool add,
                   float* factors);

}  // namespace gan::model
