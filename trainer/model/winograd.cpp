#include "trainer/model/winograd.h"

#include <ATen/Parallel.h>

#include <algorithm>

#include "trainer/model/processor.h"
#include "trainer/model/winograd_tiles.h"

namespace gan::model {

namespace {

constexpr std::size_t kTilesOfBlock = 128;  // tiles in a block; their sums stay in the cache while the factors are read
// With fewer tiles, the transforms of the weight cost more than they save. For the weight's gradient they are cheap
// while the weight fits into the cache, where a product of all patches is slow.
constexpr std::int64_t kLeastTiles = 64;
constexpr std::int64_t kLeastTilesOfWeight = 128, kLeastTilesOfSmallWeight = 16;
constexpr std::int64_t kSmallWeight = 1 << 20;  // numbers, 16 for each pair of channels

std::int64_t Tiles(std::int64_t images, std::int64_t side) { return images * side * side / 4; }

torch::Tensor Nhwc(const torch::Tensor& map) { return map.permute({0, 2, 3, 1}).contiguous(); }

torch::Tensor Room(std::size_t floats) { return torch::empty({static_cast<std::int64_t>(floats)}); }

// Calls run(begin, end) for parts of [0, count) on LibTorch's threads.
template <typename Run>
void Parallel(std::size_t count, const Run& run) {
  at::parallel_for(0, static_cast<std::int64_t>(count), 1, [&](std::int64_t begin, std::int64_t end) {
    run(static_cast<std::size_t>(begin), static_cast<std::size_t>(end));
  });
}

WinogradShape ShapeOf(std::int64_t images, std::int64_t large, std::int64_t small, std::int64_t side) {
  return {static_cast<std::size_t>(images), static_cast<std::size_t>(large), static_cast<std::size_t>(small),
          static_cast<std::size_t>(side)};
}

// Calls run(tiles) for blocks of the tiles [begin, end).
template <typename Run>
void VisitBlocks(std::size_t begin, std::size_t end, std::size_t most, const Run& run) {
  for (std::size_t tile = begin; tile < end; tile += most) {
    const std::size_t block_end = std::min(end, tile + most);
    run(WinogradTiles{tile, block_end, block_end - tile});
  }
}

}  // namespace

bool WinogradFits(torch::ScalarType type, std::int64_t large, std::int64_t small, std::int64_t side) {
  constexpr auto kPanel = static_cast<std::int64_t>(kWinogradPanel);
  return type == torch::kFloat && large % kPanel == 0 && small % kPanel == 0 && side % 2 == 0 && large > 0 && small > 0;
}

bool WinogradPays(torch::ScalarType type, std::int64_t images, std::int64_t large, std::int64_t small,
                  std::int64_t side) {
  return HasAvx2Alone() && WinogradFits(type, large, small, side) && Tiles(images, side) >= kLeastTiles;
}

bool WinogradWeightPays(torch::ScalarType type, std::int64_t images, std::int64_t large, std::int64_t small,
                        std::int64_t side) {
  const std::int64_t least = 16 * large * small <= kSmallWeight ? kLeastTilesOfSmallWeight : kLeastTilesOfWeight;
  return HasAvx2Alone() && WinogradFits(type, large, small, side) && Tiles(images, side) >= least;
}

torch::Tensor WinogradDown(const torch::Tensor& large, const torch::Tensor& weight) {
  const torch::Tensor from = Nhwc(large), by = Nhwc(weight);
  const std::int64_t side = large.size(2) / 2;
  const WinogradShape shape = ShapeOf(large.size(0), large.size(1), weight.size(0), side);
  const torch::Tensor to = torch::empty({large.size(0), side, side, weight.size(0)}), factors = Room(shape.factors());
  const float *pixels = from.const_data_ptr<float>(), *taps = by.const_data_ptr<float>();
  float *result = to.data_ptr<float>(), *transformed = factors.data_ptr<float>();
  Parallel(shape.small / kWinogradPanel,
           [&](std::size_t begin, std::size_t end) { FactorsDown(shape, taps, begin, end, transformed); });
  // Each tile writes its own 2×2 pixels of the small map, so any threads may share an image here.
  Parallel(shape.tiles(), [&](std::size_t first, std::size_t last) {
    const torch::Tensor sums = Room(kWinogradProducts * kTilesOfBlock * (shape.large_row() + shape.small_row()));
    float* large_sums = sums.data_ptr<float>();
    float* small_sums = large_sums + kWinogradProducts * kTilesOfBlock * shape.large_row();
    VisitBlocks(first, last, kTilesOfBlock, [&](const WinogradTiles& tiles) {
      SumLarge(shape, pixels, tiles, large_sums);
      DownProducts(shape, large_sums, transformed, tiles, small_sums);
      JoinSmall(shape, small_sums, tiles, result);
    });
  });
  return to.permute({0, 3, 1, 2});
}

// Tiles of one image overlap in the large map, so each image belongs to one thread.
torch::Tensor WinogradUp(const torch::Tensor& small, const torch::Tensor& weight) {
  const torch::Tensor from = Nhwc(small), by = Nhwc(weight);
  const std::int64_t side = small.size(2);
  const WinogradShape shape = ShapeOf(small.size(0), weight.size(1), small.size(1), side);
  const torch::Tensor to = torch::zeros({small.size(0), 2 * side, 2 * side, weight.size(1)});
  const torch::Tensor factors = Room(shape.factors());
  const float *pixels = from.const_data_ptr<float>(), *taps = by.const_data_ptr<float>();
  float *result = to.data_ptr<float>(), *transformed = factors.data_ptr<float>();
  Parallel(shape.large / kWinogradPanel,
           [&](std::size_t begin, std::size_t end) { FactorsUp(shape, taps, begin, end, transformed); });
  Parallel(shape.images, [&](std::size_t first, std::size_t last) {
    const std::size_t rows = kWinogradProducts * kTilesOfBlock;
    const torch::Tensor sums = Room(rows * (shape.large_row() + shape.small_row()) + shape.large);
    float* large_sums = sums.data_ptr<float>();
    float *small_sums = large_sums + rows * shape.large_row(), *edge = small_sums + rows * shape.small_row();
    // Contributions of a tile outside of the map are added to `edge`, which is not part of the result.
    std::fill_n(edge, shape.large, 0.0F);
    VisitBlocks(first * shape.tiles_of_image(), last * shape.tiles_of_image(), kTilesOfBlock,
                [&](const WinogradTiles& tiles) {
                  SumSmall(shape, pixels, tiles, small_sums);
                  UpProducts(shape, small_sums, transformed, tiles, large_sums);
                  AddLarge(shape, large_sums, tiles, result, edge);
                });
  });
  return to.permute({0, 3, 1, 2});
}

// Block by block all threads transform, then each adds to its own factors.
// Sharing the tiles among threads would need a copy of all factors per thread, and their sum would depend on how many
// there are.
torch::Tensor WinogradWeight(const torch::Tensor& large, const torch::Tensor& small) {
  const torch::Tensor from = Nhwc(large), other = Nhwc(small);
  const WinogradShape shape = ShapeOf(large.size(0), large.size(1), small.size(1), small.size(2));
  const torch::Tensor to = torch::empty({small.size(1), 4, 4, large.size(1)}), factors = Room(shape.factors());
  const torch::Tensor sums = Room(kWinogradProducts * kTilesOfBlock * (shape.large_row() + shape.small_row()));
  const float *large_pixels = from.const_data_ptr<float>(), *small_pixels = other.const_data_ptr<float>();
  float *result = to.data_ptr<float>(), *transformed = factors.data_ptr<float>();
  float* large_sums = sums.data_ptr<float>();
  float* small_sums = large_sums + kWinogradProducts * kTilesOfBlock * shape.large_row();
  VisitBlocks(0, shape.tiles(), kTilesOfBlock, [&](const WinogradTiles& tiles) {
    Parallel(tiles.rows, [&](std::size_t begin, std::size_t end) {
      const WinogradTiles part = {tiles.begin + begin, tiles.begin + end, tiles.rows};
      SumLarge(shape, large_pixels, part, large_sums + begin * shape.large_row());
      SumSmall(shape, small_pixels, part, small_sums + begin * shape.small_row());
    });
    Parallel(kWinogradProducts * kWinogradPhases, [&](std::size_t begin, std::size_t end) {
      for (std::size_t i = begin; i < end; ++i) {
        const std::size_t phase = i % kWinogradPhases * shape.large;
        WeightProduct(shape, large_sums, small_sums, tiles, i / kWinogradPhases, phase, phase + shape.large,
                      /*add=*/tiles.begin > 0, transformed);
      }
    });
  });
  Parallel(shape.small / kWinogradPanel,
           [&](std::size_t begin, std::size_t end) { WeightOfFactors(shape, transformed, begin, end, result); });
  return to.permute({0, 3, 1, 2});
}

}  // namespace gan::model
