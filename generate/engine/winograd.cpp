#include "generate/engine/winograd.h"

#include <tbb/parallel_for.h>
#include <tbb/task_arena.h>

#include <algorithm>

namespace gan::generate {

namespace {

constexpr std::size_t kGroup = 16;      // output channels: the rows of a product
constexpr std::size_t kDepth = 128;     // of a product: both panels stay in the L1 cache
constexpr std::size_t kMostBlocks = 4;  // blocks of tiles that are multiplied by the weights together
constexpr std::size_t kLeastSide = 8;   // smaller maps have fewer than 16 tiles
constexpr std::size_t kLeastChannels = 32;

std::size_t GroupsOf(std::size_t channels) { return (channels + kGroup - 1) / kGroup; }

// The three factors of the products of one phase along one side, computed from the kernel's four taps along it: from w3
// and w1 in the even phase, from w2 and w0 in the odd one (winograd_tiles.h).
struct Factors {
  float values[3];
};
Factors FactorsOf(std::size_t phase, const float* taps, std::size_t step) {
  const float first = taps[(phase == 0 ? 3U : 2U) * step], second = taps[(phase == 0 ? 1U : 0U) * step];
  return {{first, first + second, second}};
}

// The 36 factors of one kernel [4][4], `step` apart from each other.
void TransformKernel(const float* kernel, std::size_t step, float* factors) {
  for (std::size_t phase = 0; phase < 4; ++phase) {
    float columns[3][4];
    for (std::size_t x = 0; x < 4; ++x) {
      const Factors vertical = FactorsOf(phase / 2, kernel + x, 4);
      for (std::size_t i = 0; i < 3; ++i) columns[i][x] = vertical.values[i];
    }
    for (std::size_t i = 0; i < 3; ++i) {
      const Factors both = FactorsOf(phase % 2, columns[i], 1);
      for (std::size_t j = 0; j < 3; ++j) factors[(phase * 9 + 3 * i + j) * step] = both.values[j];
    }
  }
}

float* Room(std::vector<float>& scratch, std::size_t floats) {
  if (scratch.size() < floats) scratch.resize(floats);
  return scratch.data();
}

void Split(const float* pixels, std::size_t count, float* even, float* odd) {
  for (std::size_t i = 0; i < count / 2; ++i) {
    even[i] = pixels[2 * i];
    odd[i] = pixels[2 * i + 1];
  }
}

}  // namespace

// Blocks [first, first + blocks) of tiles, counted through all pictures, and groups [begin, end) of output channels.
struct WinogradConvolution::Task {
  const float* input = nullptr;
  std::size_t first = 0, blocks = 0, begin = 0, end = 0;
  std::span<const float> shift;
  Activation activation = Activation::kNone;
  Layout layout = Layout::kPlain;
  float* output = nullptr;
};

// Measured with bench/generate/convolutions.cpp (docs/decisions/0007-generating-without-libtorch.md). On 4x4 pixels
// reading the weights takes most of the time, with few channels the additions do. Rows of zeros in a product cost as
// much as others.
bool WinogradConvolution::Pays(std::size_t in, std::size_t out, std::size_t in_side) {
  const bool full = 4 * GroupsOf(out) * kGroup <= 5 * out;
  return full && in_side >= kLeastSide && std::min(in, out) >= kLeastChannels;
}

WinogradConvolution::WinogradConvolution(const Layer& layer, std::span<const float> scale, std::size_t in_side,
                                         const Kernels& kernels)
    : in_(layer.in),
      out_(layer.out),
      in_side_(in_side),
      kernels_(&kernels),
      weights_(GroupsOf(out_) * kProducts * in_ * kGroup) {
  for (std::size_t k = 0; k < in_; ++k) {
    for (std::size_t c = 0; c < out_; ++c) {
      float scaled[kTaps];
      const float* from = layer.weight.data() + (k * out_ + c) * kTaps;
      std::transform(from, from + kTaps, scaled, [&](float w) { return w * scale[c]; });
      float* to = weights_.data() + (c / kGroup * kProducts * in_ + k) * kGroup + c % kGroup;
      // Done once, at loading. Transforming the weights for each image would cost more than the products save.
      TransformKernel(scaled, in_ * kGroup, to);
    }
  }
}

// The distance between rows of sums. Rows a power of two apart would all map to the same few cache lines.
std::size_t WinogradConvolution::stride() const { return (in_ + 3) * kTiles; }

// channel: the first pixels of a channel in blocks. Pixels outside of the map are never written and stay zero.
void WinogradConvolution::FillPixels(const float* channel, std::size_t block_of_image, TilePixels& pixels) const {
  const std::size_t across = side_tiles() / pixels.columns;  // blocks side by side
  const std::size_t top = 2 * (block_of_image / across * (kTiles / pixels.columns));
  const std::size_t left = 2 * (block_of_image % across * pixels.columns), width = 2 * pixels.columns;
  const auto at = [&](std::size_t pixel) { return channel + pixel / 16 * in_ * 16 + pixel % 16; };
  const std::size_t run = std::min<std::size_t>(width, 16);
  const std::size_t first = top == 0 ? 1 : 0, end = std::min(2 * kTiles / pixels.columns + 2, in_side_ + 1 - top);
  for (std::size_t row = first; row < end; ++row) {
    float *even = pixels.even[row] + 1, *odd = pixels.odd[row] + 1;
    const std::size_t pixel = (top + row - 1) * in_side_ + left;
    for (std::size_t x = 0; x < width; x += run) Split(at(pixel + x), run, even + x / 2, odd + x / 2);
    if (left > 0) pixels.odd[row][0] = *at(pixel - 1);
    if (left + width < in_side_) even[pixels.columns] = *at(pixel + width);
  }
}

// sums: [25][in][16 tiles].
void WinogradConvolution::FillSums(const Task& task, std::size_t block, float* sums) const {
  TilePixels pixels;
  pixels.columns = std::min(side_tiles(), kTiles);
  const float* picture = task.input + block / blocks_of_image() * in_ * in_side_ * in_side_;
  for (std::size_t k = 0; k < in_; ++k) {
    FillPixels(picture + k * 16, block % blocks_of_image(), pixels);
    kernels_->sum_tiles(pixels, sums + k * kTiles, stride());
  }
}

// products: [blocks][36][16 channels][16 tiles].
void WinogradConvolution::Multiply(const float* sums, std::size_t blocks, std::size_t group, float* products) const {
  std::fill_n(products, blocks * kProducts * kGroup * kTiles, 0.0F);
  for (std::size_t p = 0; p < kProducts; ++p) {
    const std::size_t phase = p / 9, row = p % 9 / 3 + 2 * (phase / 2), column = p % 3 + 2 * (phase % 2);
    const float* weights = weights_.data() + (group * kProducts + p) * in_ * kGroup;
    const float* of_product = sums + (row * kSums + column) * stride();
    for (std::size_t k = 0; k < in_; k += kDepth) {
      const std::size_t depth = std::min(kDepth, in_ - k);
      for (std::size_t b = 0; b < blocks; ++b) {
        kernels_->multiply_tile(weights + k * kGroup, of_product + b * kSums * kSums * stride() + k * kTiles, depth,
                                products + (b * kProducts + p) * kGroup * kTiles, kTiles);
      }
    }
  }
}

// products: [36][16 channels][16 tiles].
void WinogradConvolution::WriteBlock(const Task& task, std::size_t block, std::size_t group,
                                     const float* products) const {
  constexpr std::size_t kRow = kTileSide * kTiles;  // floats in a row of all tiles
  const std::size_t columns = std::min(side_tiles(), kTiles), across = side_tiles() / columns;
  const std::size_t of_image = block % blocks_of_image(), width = 2 * in_side_, pixels = width * width;
  const std::size_t top = kTileSide * (of_image / across * (kTiles / columns));
  const std::size_t left = kTileSide * (of_image % across * columns), run = kTileSide * columns;
  float* picture = task.output + block / blocks_of_image() * out_ * pixels;
  for (std::size_t c = group * kGroup; c < std::min(out_, (group + 1) * kGroup); ++c) {
    float rows[kTileSide * kRow];
    kernels_->join_tiles(products + c % kGroup * kTiles, kGroup * kTiles, rows);
    kernels_->activate(rows, kTileSide * kRow, task.shift[c], task.activation);
    for (std::size_t i = 0; i < kTileSide * kRow; i += kTileColumns) {
      const std::size_t row = i / kRow, x = i % kRow;
      const std::size_t pixel = (top + x / run * kTileSide + row) * width + left + x % run;
      const std::size_t block_of_pixels = (pixel / kTileColumns * out_ + c) * kTileColumns;
      const std::size_t place = task.layout == Layout::kPlain ? c * pixels + pixel : block_of_pixels;
      std::copy_n(rows + i, kTileColumns, picture + place);
    }
  }
}

void WinogradConvolution::RunTask(const Task& task) const {
  thread_local std::vector<float> scratch;
  const std::size_t sums_of_block = kSums * kSums * stride(), products_of_block = kProducts * kGroup * kTiles;
  float* sums = Room(scratch, task.blocks * (sums_of_block + products_of_block));
  float* products = sums + task.blocks * sums_of_block;
  for (std::size_t b = 0; b < task.blocks; ++b) FillSums(task, task.first + b, sums + b * sums_of_block);
  for (std::size_t group = task.begin; group < task.end; ++group) {
    Multiply(sums, task.blocks, group, products);
    for (std::size_t b = 0; b < task.blocks; ++b) {
      WriteBlock(task, task.first + b, group, products + b * products_of_block);
    }
  }
}

// The division of the work changes no number: with few tiles the threads share the output channels as well.
void WinogradConvolution::Run(const float* input, std::size_t images, std::span<const float> shift,
                              Activation activation, Layout layout, float* output) const {
  const auto threads = static_cast<std::size_t>(tbb::this_task_arena::max_concurrency());
  const std::size_t blocks = images * blocks_of_image(), groups = GroupsOf(out_);
  const std::size_t together = std::clamp<std::size_t>(blocks / threads, 1, kMostBlocks);
  const std::size_t spans = (blocks + together - 1) / together;
  const std::size_t parts = std::clamp<std::size_t>(2 * threads / spans, 1, groups);
  tbb::parallel_for(std::size_t{0}, spans * parts, [&](std::size_t i) {
    const std::size_t part = i / spans, first = i % spans * together;
    RunTask({input, first, std::min(together, blocks - first), part * groups / parts, (part + 1) * groups / parts,
             shift, activation, layout, output});
  });
}

}  // namespace gan::generate
