#include <tbb/parallel_for.h>

#include <algorithm>
#include <cmath>

#include "generate/engine/engine.h"

namespace gan::generate {

namespace {

struct Moments {
  double mean = 0;
  double variance = 0;  // divided by the count, as batch norm normalises
};

// One channel of pictures [begin, end) of values [images, blocks, channels, 16]: `visit` sees every value.
struct Channel {
  std::vector<float>& values;
  std::size_t channels, blocks, channel;

  template <typename Visit>
  void ForEach(std::size_t begin, std::size_t end, const Visit& visit) const {
    for (std::size_t block = begin * blocks; block < end * blocks; ++block) {
      float* sixteen = values.data() + (block * channels + channel) * kTileColumns;
      for (std::size_t i = 0; i < kTileColumns; ++i) visit(sixteen[i]);
    }
  }
};

Moments MomentsOf(const Channel& channel, std::size_t begin, std::size_t end) {
  const auto count = static_cast<double>((end - begin) * channel.blocks * kTileColumns);
  double sum = 0, squares = 0;
  channel.ForEach(begin, end, [&](float x) { sum += static_cast<double>(x); });
  // In two passes, because the difference of the mean square and the squared mean would lose digits where the mean is
  // large.
  const double mean = sum / count;
  channel.ForEach(begin, end, [&](float x) { squares += (double{x} - mean) * (double{x} - mean); });
  return {mean, squares / count};
}

// Measures the mean and variance of one channel in every batch and keeps their averages over the batches, as PyTorch
// does with momentum None. Each batch is normalised by its own mean and variance, so the next layer gets the same
// inputs as in training.
void MeasureChannel(const Channel& channel, std::size_t images, std::size_t batch, BatchNorm& norm) {
  const std::size_t c = channel.channel;
  double mean = 0, variance = 0;
  std::size_t batches = 0;
  for (std::size_t begin = 0; begin < images; begin += batch, ++batches) {
    const std::size_t end = std::min(images, begin + batch);
    const Moments moments = MomentsOf(channel, begin, end);
    const auto count = static_cast<double>((end - begin) * channel.blocks * kTileColumns);
    mean += moments.mean;
    variance += moments.variance * count / (count - 1);  // PyTorch keeps the unbiased one
    const double factor = double{norm.scale[c]} / std::sqrt(moments.variance + kBatchNormEpsilon);
    const auto scale = static_cast<float>(factor);
    const auto shift = static_cast<float>(double{norm.shift[c]} - moments.mean * factor);
    channel.ForEach(begin, end, [&](float& x) { x = std::max(0.0F, x * scale + shift); });
  }
  norm.mean[c] = static_cast<float>(mean / static_cast<double>(batches));
  norm.variance[c] = static_cast<float>(variance / static_cast<double>(batches));
}

}  // namespace

void ReestimateStatistics(Generator& generator, std::span<const float> inputs, std::size_t batch) {
  const std::size_t images = inputs.size() / generator.inputs();
  std::vector<float> input(inputs.begin(), inputs.end());
  std::size_t side = 1;
  for (Layer& layer : generator.layers) {
    // The last layer has no norm, so there is nothing to measure.
    if (!layer.norm) return;
    // Without the factors of batch norm, because the values before it are measured.
    const PackedConvolution convolution(layer, std::vector<float>(layer.out, 1), side);
    std::vector<float> output(images * layer.out * convolution.out_pixels());
    convolution.Run(input.data(), images, BiasOf(layer), Activation::kNone, Layout::kBlocks, output.data());
    tbb::parallel_for(std::size_t{0}, layer.out, [&](std::size_t channel) {
      MeasureChannel({output, layer.out, convolution.out_pixels() / kTileColumns, channel}, images, batch, *layer.norm);
    });
    input = std::move(output);
    side = convolution.out_side();
  }
}

}  // namespace gan::generate
