#include "generate/engine/convolution.h"

#include <tbb/blocked_range.h>
#include <tbb/parallel_for.h>

#include <algorithm>

namespace gan::generate {

namespace {

constexpr std::size_t kDepth = 128;               // depth of a product: two panels of 16 x 128 stay in the L1 cache
constexpr std::size_t kScratchFloats = 1U << 14;  // shares computed by a task, 64 KiB where that is possible
constexpr std::size_t kMostChannels = 8;
constexpr float kZeros[kMostSide] = {};

// A transposed convolution as one matrix product: for each input pixel and output channel it computes the contributions
// of all 16 taps at once, called shares. Each output pixel is then the sum of the four shares that reach it. Input
// pixels are the columns of the product, 16 at a time, so every number is a sum over the input channels in one order,
// whatever the batch.

// The number of channels that a task computes. It depends on shapes alone.
std::size_t ChannelsOfTask(std::size_t pixels) {
  return std::clamp<std::size_t>(kScratchFloats / (kTaps * pixels), 1, kMostChannels);
}

// The distance between rows of shares. Rows a power of two apart would all map to the same few cache lines.
std::size_t Stride(std::size_t pixels) { return pixels + 16; }

float* ZeroedScratch(std::size_t floats) {
  // Kept by each thread, because allocating it anew in every task would take longer than filling it.
  thread_local std::vector<float> scratch;
  if (scratch.size() < floats) scratch.resize(floats);
  std::fill_n(scratch.begin(), floats, 0.0F);
  return scratch.data();
}

// Copies `count` pixels, beginning at pixel `first` of a picture, to their places in blocks of 16.
void ScatterRow(const float* row, std::size_t count, std::size_t first, std::size_t channel, std::size_t channels,
                float* picture) {
  const std::size_t run = std::min(count, kTileColumns);
  for (std::size_t x = 0; x < count; x += run) {
    const std::size_t pixel = first + x;
    float* block = picture + (pixel / kTileColumns * channels + channel) * kTileColumns;
    std::copy_n(row + x, run, block + pixel % kTileColumns);
  }
}

}  // namespace

// Channels [begin, end) of one picture.
struct PackedConvolution::Task {
  const float* input = nullptr;
  std::size_t begin = 0, end = 0;
  std::span<const float> shift;
  Activation activation = Activation::kNone;
  Layout layout = Layout::kPlain;
  float* output = nullptr;
};

PackedConvolution::PackedConvolution(const Layer& layer, std::span<const float> scale, std::size_t in_side,
                                     Algorithm algorithm, const Kernels& kernels)
    : in_(layer.in), out_(layer.out), in_side_(in_side), kernels_(&kernels) {
  if (algorithm == Algorithm::kFaster && WinogradConvolution::Pays(in_, out_, in_side_)) {
    winograd_.emplace(layer, scale, in_side, kernels);
    return;
  }
  // The factors of batch norm are multiplied in here, once; only its shift is left for each image.
  packed_.resize(layer.weight.size());
  for (std::size_t k = 0; k < in_; ++k) {
    for (std::size_t c = 0; c < out_; ++c) {
      const float* from = layer.weight.data() + (k * out_ + c) * kTaps;
      std::transform(from, from + kTaps, packed_.data() + (c * in_ + k) * kTaps, [&](float w) { return w * scale[c]; });
    }
  }
}

// The columns of the product are latents, 16 at a time; missing ones are zeros. 4x4 pixels are one block, so both
// layouts of one picture differ in the order of channels and pixels only where there are several blocks.
void PackedConvolution::RunFirst(const float* latents, std::size_t images, std::span<const float> shift,
                                 Activation activation, float* output) const {
  const std::size_t groups = (images + kTileColumns - 1) / kTileColumns;
  std::vector<float> columns(groups * in_ * kTileColumns);
  for (std::size_t i = 0; i < images; ++i) {
    float* column = columns.data() + i / kTileColumns * in_ * kTileColumns + i % kTileColumns;
    for (std::size_t k = 0; k < in_; ++k) column[k * kTileColumns] = latents[i * in_ + k];
  }
  tbb::parallel_for(tbb::blocked_range<std::size_t>(0, out_), [&](const tbb::blocked_range<std::size_t>& channels) {
    for (std::size_t channel = channels.begin(); channel < channels.end(); ++channel) {
      for (std::size_t group = 0; group < groups; ++group) {
        float tile[kTaps * kTileColumns] = {};
        kernels_->multiply_tile(packed_.data() + channel * in_ * kTaps, columns.data() + group * in_ * kTileColumns,
                                in_, tile, kTileColumns);
        kernels_->activate(tile, kTaps * kTileColumns, shift[channel], activation);
        const std::size_t first = group * kTileColumns, count = std::min(kTileColumns, images - first);
        for (std::size_t i = 0; i < count; ++i) {
          float* plane = output + ((first + i) * out_ + channel) * kTaps;
          for (std::size_t t = 0; t < kTaps; ++t) plane[t] = tile[t * kTileColumns + i];
        }
      }
    }
  });
}

// Returns [channels of the task][16 taps][pixels], with rows Stride() apart.
const float* PackedConvolution::MultiplyShares(const Task& task) const {
  const std::size_t pixels = in_pixels(), stride = Stride(pixels);
  float* shares = ZeroedScratch((task.end - task.begin) * kTaps * stride);
  for (std::size_t k = 0; k < in_; k += kDepth) {
    const std::size_t depth = std::min(kDepth, in_ - k);
    for (std::size_t x = 0; x < pixels; x += kTileColumns) {
      const float* columns = task.input + x * in_ + k * kTileColumns;
      for (std::size_t c = task.begin; c < task.end; ++c) {
        kernels_->multiply_tile(packed_.data() + (c * in_ + k) * kTaps, columns, depth,
                                shares + (c - task.begin) * kTaps * stride + x, stride);
      }
    }
  }
  return shares;
}

// shares: [16 taps][side][side] of one output channel. Rows 1 and 3 of the kernel reach even rows of the output, rows 2
// and 0 odd ones. The same holds for columns.
void PackedConvolution::WritePlane(const float* shares, const Task& task, std::size_t channel) const {
  const std::size_t stride = Stride(in_pixels()), width = out_side();
  float row[2 * kMostSide];
  for (std::size_t y = 0; y < width; ++y) {
    const std::size_t here = y / 2;
    const bool odd = y % 2 == 1;
    const bool has_far = odd ? here + 1 < in_side_ : here > 0;
    const float* near = shares + std::size_t{odd ? 2U : 1U} * 4 * stride + here * in_side_;
    const float* far = shares + std::size_t{odd ? 0U : 3U} * 4 * stride + (odd ? here + 1 : here - 1) * in_side_;
    RowShares sources;
    for (std::size_t kx = 0; kx < 4; ++kx) {
      sources.near[kx] = near + kx * stride;
      // Zeros avoid a special case: adding 0 changes no number, and the inner loop stays the same at the border.
      sources.far[kx] = has_far ? far + kx * stride : kZeros;
    }
    if (task.layout == Layout::kPlain) {
      float* plane = task.output + channel * out_pixels();
      kernels_->write_row(sources, in_side_, task.shift[channel], task.activation, plane + y * width);
    } else {
      kernels_->write_row(sources, in_side_, task.shift[channel], task.activation, row);
      ScatterRow(row, width, y * width, channel, out_, task.output);
    }
  }
}

void PackedConvolution::RunTask(const Task& task) const {
  const float* shares = MultiplyShares(task);
  for (std::size_t c = task.begin; c < task.end; ++c) {
    WritePlane(shares + (c - task.begin) * kTaps * Stride(in_pixels()), task, c);
  }
}

void PackedConvolution::Run(const float* input, std::size_t images, std::span<const float> shift, Activation activation,
                            Layout layout, float* output) const {
  if (in_side_ == 1) return RunFirst(input, images, shift, activation, output);
  if (winograd_) return winograd_->Run(input, images, shift, activation, layout, output);
  const std::size_t width = ChannelsOfTask(in_pixels());
  const std::size_t blocks = (out_ + width - 1) / width;
  // With many weights and few pixels, one block of channels processes all pictures before the next block's turn, so
  // that its weights stay in the cache. Otherwise the pixels of a picture stay there.
  const bool weights_stay = in_ * kTaps * width > in_ * in_pixels();
  tbb::parallel_for(tbb::blocked_range<std::size_t>(0, blocks * images),
                    [&](const tbb::blocked_range<std::size_t>& tasks) {
                      for (std::size_t t = tasks.begin(); t < tasks.end(); ++t) {
                        const std::size_t block = weights_stay ? t / images : t % blocks;
                        const std::size_t image = weights_stay ? t % images : t / blocks;
                        RunTask({input + image * in_ * in_pixels(), block * width, std::min(out_, (block + 1) * width),
                                 shift, activation, layout, output + image * out_ * out_pixels()});
                      }
                    });
}

}  // namespace gan::generate
