#include "generate/project/down_convolution.h"

#include <tbb/parallel_for.h>

#include <algorithm>

#include "generate/engine/kernels.h"

namespace gan::project {

using generate::kTaps;
using generate::kTileColumns;

namespace {

constexpr std::size_t kTileRows = 16;
constexpr std::size_t kTileFloats = kTileRows * kTileColumns;
constexpr std::size_t kChunkChannels = 16;  // a panel of 16 channels, 16 taps and 16 columns stays in the L1 cache
constexpr std::size_t kPanelFloats = kChunkChannels * kTaps * kTileColumns;
constexpr std::size_t kMostColumns = 128;  // pixels per task; the weights are read once for all of them

// The gradient of a transposed convolution with respect to its input: a convolution of stride 2. It runs on the product
// of the engine (kernels.h), whose columns are 16 pixels side by side. With stride 2 neighbouring outputs read every
// second pixel, so the map is first split into its even and odd rows and columns, in which they read neighbouring ones.

// [groups of 16 rows][depth][16 rows] of [rows, depth].
std::vector<float> PackRows(std::span<const float> weight, std::size_t rows, std::size_t depth) {
  std::vector<float> packed((rows + kTileRows - 1) / kTileRows * depth * kTileRows);
  for (std::size_t row = 0; row < rows; ++row) {
    float* group = packed.data() + row / kTileRows * depth * kTileRows + row % kTileRows;
    for (std::size_t k = 0; k < depth; ++k) group[k * kTileRows] = weight[row * depth + k];
  }
  return packed;
}

// Along a side of the kernel, tap 1 meets even pixels of the large map and tap 2 odd ones at the same place. Tap 0
// meets the odd pixel before it, tap 3 the even pixel behind it.
struct TapSource {
  std::size_t parity;
  std::size_t shift;  // position in planes with a border of one pixel
};
constexpr TapSource kTapSources[] = {{1, 0}, {0, 1}, {1, 1}, {0, 2}};

thread_local std::vector<float> scratch_planes;
thread_local std::vector<float> scratch_patches;

float* Room(std::vector<float>& scratch, std::size_t floats) {
  if (scratch.size() < floats) scratch.resize(floats);
  return scratch.data();
}

}  // namespace

// Rows [top, top + height) of the small maps of images [first, first + images).
struct DownConvolution::Task {
  const float* large = nullptr;
  float* small = nullptr;
  std::size_t first = 0, images = 0, top = 0, height = 0, side = 0;

  std::size_t columns() const { return images * height * side; }
  std::size_t blocks() const { return columns() / kTileColumns; }
  std::size_t plane_width() const { return side + 2; }
  std::size_t plane_floats() const { return (height + 2) * plane_width(); }
};

DownConvolution::DownConvolution(std::span<const float> weight, std::size_t rows, std::size_t channels,
                                 std::size_t small_side)
    : rows_(rows), channels_(channels), side_(small_side), packed_(PackRows(weight, rows, channels * kTaps)) {}

// planes: [image][channel][row parity][column parity][height + 2][side + 2], zeros beyond the map.
void DownConvolution::Split(const Task& task, float* planes) const {
  const std::size_t large_side = 2 * side_, width = task.plane_width(), blocks = large_side * large_side / kTileColumns;
  std::fill_n(planes, task.images * channels_ * 4 * task.plane_floats(), 0.0F);
  const std::size_t run = std::min(large_side, kTileColumns);
  const std::size_t first_row = task.top > 0 ? 2 * task.top - 1 : 0;
  const std::size_t end_row = std::min(large_side, 2 * (task.top + task.height) + 1);
  for (std::size_t image = 0; image < task.images; ++image) {
    const float* map = task.large + (task.first + image) * blocks * channels_ * kTileColumns;
    for (std::size_t y = first_row; y < end_row; ++y) {
      const std::size_t row = y / 2 + 1 - task.top;
      for (std::size_t x = 0; x < large_side; x += run) {
        const std::size_t pixel = y * large_side + x;
        const float* block = map + pixel / kTileColumns * channels_ * kTileColumns + pixel % kTileColumns;
        for (std::size_t c = 0; c < channels_; ++c) {
          float* even =
              planes + (((image * channels_ + c) * 2 + y % 2) * 2) * task.plane_floats() + row * width + x / 2 + 1;
          float* odd = even + task.plane_floats();
          for (std::size_t i = 0; i < run / 2; ++i) {
            even[i] = block[c * kTileColumns + 2 * i];
            odd[i] = block[c * kTileColumns + 2 * i + 1];
          }
        }
      }
    }
  }
}

// patches: [blocks of the task][channels][16 taps][16 columns].
void DownConvolution::FillPatches(const Task& task, const float* planes, std::size_t first_channel,
                                  std::size_t channels, float* patches) const {
  const std::size_t width = task.plane_width(), run = std::min(side_, kTileColumns);
  const std::size_t columns_of_image = task.height * side_;
  for (std::size_t column = 0; column < task.columns(); column += run) {
    const std::size_t image = column / columns_of_image, pixel = column % columns_of_image;
    const std::size_t y = pixel / side_, x = pixel % side_;
    float* out = patches + column / kTileColumns * kPanelFloats + column % kTileColumns;
    for (std::size_t c = 0; c < channels; ++c) {
      const float* of_channel = planes + (image * channels_ + first_channel + c) * 4 * task.plane_floats();
      for (std::size_t tap = 0; tap < kTaps; ++tap, out += kTileColumns) {
        const TapSource vertical = kTapSources[tap / 4], horizontal = kTapSources[tap % 4];
        const float* plane = of_channel + (2 * vertical.parity + horizontal.parity) * task.plane_floats();
        std::copy_n(plane + (y + vertical.shift) * width + x + horizontal.shift, run, out);
      }
    }
  }
}

void DownConvolution::Multiply(const Task& task, const float* patches, std::size_t first_channel,
                               std::size_t channels) const {
  const generate::Kernels& kernels = generate::FastestKernels();
  const std::size_t blocks_of_image = small_pixels() / kTileColumns;
  const std::size_t blocks_here = task.height * side_ / kTileColumns;
  for (std::size_t row = 0; row < rows_; row += kTileRows) {
    const float* weights = packed_.data() + (row * channels_ + first_channel * kTileRows) * kTaps;
    for (std::size_t b = 0; b < task.blocks(); ++b) {
      const std::size_t image = task.first + b / blocks_here;
      const std::size_t block = image * blocks_of_image + task.top * side_ / kTileColumns + b % blocks_here;
      float* out = task.small + (block * rows_ + row) * kTileColumns;
      const std::size_t floats = std::min(kTileRows, rows_ - row) * kTileColumns;
      float tile[kTileFloats] = {};
      // Later channels continue the sum of the earlier ones.
      if (first_channel > 0) std::copy_n(out, floats, tile);
      kernels.multiply_tile(weights, patches + b * kPanelFloats, channels * kTaps, tile, kTileColumns);
      std::copy_n(tile, floats, out);
    }
  }
}

void DownConvolution::RunTask(const Task& task) const {
  float* planes = Room(scratch_planes, task.images * channels_ * 4 * task.plane_floats());
  float* patches = Room(scratch_patches, task.blocks() * kPanelFloats);
  Split(task, planes);
  for (std::size_t c = 0; c < channels_; c += kChunkChannels) {
    const std::size_t channels = std::min(kChunkChannels, channels_ - c);
    FillPatches(task, planes, c, channels, patches);
    Multiply(task, patches, c, channels);
  }
}

void DownConvolution::Run(const float* large, std::size_t images, float* small) const {
  // Bands of a large map, or several small maps together, so that a task always has about kMostColumns columns.
  const std::size_t height = std::clamp<std::size_t>(kMostColumns / side_, 1, side_);
  const std::size_t together = std::max<std::size_t>(1, kMostColumns / (height * side_));
  const std::size_t bands = side_ / height, groups = (images + together - 1) / together;
  tbb::parallel_for(std::size_t{0}, bands * groups, [&](std::size_t i) {
    const std::size_t first = i / bands * together;
    RunTask({large, small, first, std::min(together, images - first), i % bands * height, height, side_});
  });
}

FirstLayerGradient::FirstLayerGradient(std::span<const float> weight, std::size_t rows, std::size_t channels)
    : rows_(rows), depth_(channels * kTaps), packed_(PackRows(weight, rows, depth_)) {}

void FirstLayerGradient::Run(const float* maps, std::size_t images, float* latents) const {
  const generate::Kernels& kernels = generate::FastestKernels();
  const std::size_t image_groups = (images + kTileColumns - 1) / kTileColumns;
  std::vector<float> columns(image_groups * depth_ * kTileColumns);
  for (std::size_t i = 0; i < images; ++i) {
    float* column = columns.data() + i / kTileColumns * depth_ * kTileColumns + i % kTileColumns;
    for (std::size_t k = 0; k < depth_; ++k) column[k * kTileColumns] = maps[i * depth_ + k];
  }
  const std::size_t row_groups = (rows_ + kTileRows - 1) / kTileRows;
  tbb::parallel_for(std::size_t{0}, row_groups * image_groups, [&](std::size_t task) {
    const std::size_t row = task % row_groups * kTileRows, image = task / row_groups * kTileColumns;
    float tile[kTileFloats] = {};
    kernels.multiply_tile(packed_.data() + row * depth_, columns.data() + image * depth_, depth_, tile, kTileColumns);
    for (std::size_t i = image; i < std::min(images, image + kTileColumns); ++i) {
      for (std::size_t r = row; r < std::min(rows_, row + kTileRows); ++r) {
        latents[i * rows_ + r] = tile[(r - row) * kTileColumns + i - image];
      }
    }
  });
}

}  // namespace gan::project
