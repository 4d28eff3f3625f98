// A transposed 4x4 convolution of stride 2 with fewer multiplications: it is four 2x2 convolutions, one per phase of
// the output, and Winograd's F(2x2, 2x2) computes each with 9 products instead of 16 for four pixels (Lavin and Gray,
// "Fast algorithms for convolutional neural networks", 2016). Its transforms only add and subtract (winograd_tiles.h).
//
// 16 tiles of two by two pixels are the columns of a product. The sums of the pixels of a few blocks of tiles stay in
// the cache while the transformed weights, 36 numbers for 16, pass by.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "generate/engine/generator.h"
#include "generate/engine/kernels.h"
#include "generate/engine/layout.h"

namespace gan::generate {

// Thread-safe once built. Every number is computed in one fixed order, as in kernels.h.
class WinogradConvolution {
 public:
  // Whether Winograd's algorithm is faster for a layer of this shape than a product with every weight of the kernels
  // (convolution.h), and its own weights are not too large. This depends on the shape alone, because a picture must not
  // depend on the batch that it is computed in.
  static bool Pays(std::size_t in, std::size_t out, std::size_t in_side);

  // scale: float [out]. in_side: a power of two from 8 to kMostSide. kernels: must outlive it.
  WinogradConvolution(const Layer& layer, std::span<const float> scale, std::size_t in_side, const Kernels& kernels);

  // input: N pictures in blocks; shift: float [out]; output: N pictures. On all threads of the caller's TBB arena.
  void Run(const float* input, std::size_t images, std::span<const float> shift, Activation activation, Layout layout,
           float* output) const;

 private:
  struct Task;
  std::size_t side_tiles() const { return in_side_ / 2; }
  std::size_t blocks_of_image() const { return side_tiles() * side_tiles() / kTiles; }
  std::size_t stride() const;
  void FillSums(const Task& task, std::size_t block, float* sums) const;
  void FillPixels(const float* channel, std::size_t block_of_image, TilePixels& pixels) const;
  void Multiply(const float* sums, std::size_t blocks, std::size_t group, float* products) const;
  void WriteBlock(const Task& task, std::size_t block, std::size_t group, const float* products) const;
  void RunTask(const Task& task) const;

  std::size_t in_, out_, in_side_;
  const Kernels* kernels_;
  std::vector<float> weights_;  // [groups of 16 out][36][in][16], zeros for missing channels
};

}  // namespace gan::generate
