// Winograd's algorithm for the convolutions of training (tiles.h), layer by layer of a 128-px discriminator on one
// thread: down, up and the gradient of the weight, as GFLOP/s of a direct convolution, the shortest of all turns in CPU
// time. First compares whole numbers with the definition, exactly, and ends with 1 if one differs.
// Usage: winograd_layers [FEATURES] [BATCH] [TURNS]. For LibTorch's speeds: the program `convolutions`.
#include <algorithm>
#include <array>
#include <cstdio>
#include <ctime>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "bench/train/winograd/tiles.h"

namespace {

using namespace gan::bench;  // NOLINT(google-build-using-namespace): a program for measuring
using Floats = std::vector<float>;

constexpr std::size_t kTilesOfBlock = 128;  // whose sums stay in the cache while the factors pass by

Floats WholeNumbers(std::size_t count) {
  static std::mt19937 generator(1);
  std::uniform_int_distribution<int> any(-4, 4);
  Floats values(count);
  for (float& value : values) value = static_cast<float>(any(generator));
  return values;
}

// Both maps and the weight, and the room that the transforms need.
struct Layer {
  explicit Layer(const WinogradShape& sizes)
      : shape(sizes),
        large(WholeNumbers(shape.images * 4 * shape.side * shape.side * shape.large)),
        small(WholeNumbers(shape.images * shape.side * shape.side * shape.small)),
        weight(WholeNumbers(16 * shape.large * shape.small)),
        factors(shape.factors()),
        large_sums(kWinogradProducts * kTilesOfBlock * shape.large_row()),
        small_sums(kWinogradProducts * kTilesOfBlock * shape.small_row()),
        edge(shape.large) {}

  template <typename Run>
  void VisitBlocks(const Run& run) const {
    for (std::size_t tile = 0; tile < shape.tiles(); tile += kTilesOfBlock) {
      const std::size_t end = std::min(shape.tiles(), tile + kTilesOfBlock);
      run(WinogradTiles{tile, end, end - tile});
    }
  }

  void Down(Floats& result) {
    FactorsDown(shape, weight.data(), 0, shape.small / kWinogradPanel, factors.data());
    VisitBlocks([&](const WinogradTiles& tiles) {
      SumLarge(shape, large.data(), tiles, large_sums.data());
      DownProducts(shape, large_sums.data(), factors.data(), tiles, small_sums.data());
      JoinSmall(shape, small_sums.data(), tiles, result.data());
    });
  }

  void Up(Floats& result) {
    FactorsUp(shape, weight.data(), 0, shape.large / kWinogradPanel, factors.data());
    std::fill(result.begin(), result.end(), 0.0F);
    VisitBlocks([&](const WinogradTiles& tiles) {
      SumSmall(shape, small.data(), tiles, small_sums.data());
      UpProducts(shape, small_sums.data(), factors.data(), tiles, large_sums.data());
      AddLarge(shape, large_sums.data(), tiles, result.data(), edge.data());
    });
  }

  void Weight(Floats& result) {
    VisitBlocks([&](const WinogradTiles& tiles) {
      SumLarge(shape, large.data(), tiles, large_sums.data());
      SumSmall(shape, small.data(), tiles, small_sums.data());
      for (std::size_t product = 0; product < kWinogradProducts; ++product) {
        WeightProduct(shape, large_sums.data(), small_sums.data(), tiles, product, 0, shape.phases(), tiles.begin > 0,
                      factors.data());
      }
    });
    WeightOfFactors(shape, factors.data(), 0, shape.small / kWinogradPanel, result.data());
  }

  WinogradShape shape;
  Floats large, small, weight, factors, large_sums, small_sums, edge;
};

// All three from the definition, tap by tap.
struct Direct {
  explicit Direct(const Layer& layer) : down(layer.small.size()), up(layer.large.size()), weight(layer.weight.size()) {
    const WinogradShape& s = layer.shape;
    for (std::size_t place = 0; place < s.images * s.side * s.side * 16; ++place) {
      const std::size_t tap = place % 16, pixel = place / 16;
      const std::size_t y = 2 * (pixel / s.side % s.side) + tap / 4, x = 2 * (pixel % s.side) + tap % 4;
      if (y == 0 || x == 0 || y > 2 * s.side || x > 2 * s.side) continue;  // the padding
      const std::size_t image = pixel / (s.side * s.side);
      AddTap(layer, pixel, ((image * 2 * s.side + y - 1) * 2 * s.side + x - 1), tap);
    }
  }

  void AddTap(const Layer& layer, std::size_t small_pixel, std::size_t large_pixel, std::size_t tap) {
    const WinogradShape& s = layer.shape;
    for (std::size_t k = 0; k < s.small; ++k) {
      for (std::size_t c = 0; c < s.large; ++c) {
        const std::size_t y = small_pixel * s.small + k, x = large_pixel * s.large + c,
                          w = (k * 16 + tap) * s.large + c;
        down[y] += layer.large[x] * layer.weight[w];
        up[x] += layer.small[y] * layer.weight[w];
        weight[w] += layer.large[x] * layer.small[y];
      }
    }
  }

  Floats down, up, weight;
};

// Whether all results of whole numbers, which nothing rounds, are those of the definition.
bool AreExact(const WinogradShape& shape) {
  Layer layer(shape);
  const Direct direct(layer);
  Floats down(layer.small.size()), up(layer.large.size()), weight(layer.weight.size());
  layer.Down(down);
  layer.Up(up);
  layer.Weight(weight);
  const bool exact = down == direct.down && up == direct.up && weight == direct.weight;
  if (!exact) std::printf("%zu to %zu channels, %zu pixels a side: WRONG\n", shape.large, shape.small, shape.side);
  return exact;
}

template <typename Work>
double Shortest(std::size_t turns, const Work& work) {
  double best = std::numeric_limits<double>::infinity();
  for (std::size_t turn = 0; turn < turns; ++turn) {
    const std::clock_t start = std::clock();
    work();
    best = std::min(best, static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC);
  }
  return best;
}

void Measure(const WinogradShape& shape, std::size_t turns) {
  Layer layer(shape);
  Floats down(layer.small.size()), up(layer.large.size()), weight(layer.weight.size());
  const std::array<double, 3> seconds = {Shortest(turns, [&] { layer.Down(down); }),
                                         Shortest(turns, [&] { layer.Up(up); }),
                                         Shortest(turns, [&] { layer.Weight(weight); })};
  const double gigaflops = 32e-9 * static_cast<double>(4 * shape.tiles() * shape.large * shape.small);
  std::printf("%4zu / %4zu, %2zux%-2zu", shape.large, shape.small, shape.side, shape.side);
  for (const double time : seconds) std::printf("  %8.2f ms (%4.0f)", 1e3 * time, gigaflops / time);
  std::printf("\n");
}

}  // namespace

int main(int argc, char** argv) {
  if (__builtin_cpu_supports("avx2") == 0 || __builtin_cpu_supports("fma") == 0) {
    std::fprintf(stderr, "winograd_layers: needs a processor with AVX2\n");
    return 1;
  }
  const auto argument = [&](int i, std::size_t usual) { return argc > i ? std::stoul(argv[i]) : usual; };
  const std::size_t features = argument(1, 64), batch = argument(2, 8), turns = argument(3, 9);
  bool exact = true;  // one tile and many, blocks that are full and not, products with rows left over
  for (const WinogradShape& shape :
       {WinogradShape{1, 16, 16, 2}, WinogradShape{1, 16, 48, 6}, WinogradShape{3, 32, 16, 4},
        WinogradShape{1, 48, 16, 26}, WinogradShape{5, 16, 32, 10}}) {
    exact = AreExact(shape) && exact;
  }
  if (!exact) return 1;
  std::printf("channels, pixels    down                up                  weight       (GFLOP/s of a direct one)\n");
  for (std::size_t side = 32, channels = features; side >= 4; side /= 2, channels *= 2) {
    Measure({batch, channels, 2 * channels, side}, turns);
  }
  return 0;
}
