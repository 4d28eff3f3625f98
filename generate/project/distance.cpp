#include "generate/project/distance.h"

#include <tbb/parallel_for.h>

#include <cmath>

#include "generate/engine/kernels.h"

namespace gan::project {

using generate::kTileColumns;

namespace {

constexpr std::size_t kColours = 3;
constexpr double kPeak = 2;  // largest difference of values in [-1, 1]
// Features that are 0 everywhere would otherwise be divided by 0.
constexpr double kLeastEnergy = 1e-12;

std::size_t PlaceInBlocks(std::size_t plain, std::size_t pixels) {
  const std::size_t colour = plain / pixels, pixel = plain % pixels;
  return (pixel / kTileColumns * kColours + colour) * kTileColumns + pixel % kTileColumns;
}

// The sum of squared differences of `count` values. Writes the differences times `factor` to `gradient`.
double SquaredDifference(const float* values, const float* wanted, std::size_t count, float factor, float* gradient) {
  // Short sums in float use vector instructions and lose little precision. The sum over all runs is in double.
  constexpr std::size_t kRun = 256;  // values summed in float; the sums of runs are added in double
  double sum = 0;
  for (std::size_t begin = 0; begin < count; begin += kRun) {
    float part = 0;
    for (std::size_t i = begin; i < std::min(count, begin + kRun); ++i) {
      const float difference = values[i] - wanted[i];
      part += difference * difference;
      gradient[i] = factor * difference;
    }
    sum += double{part};
  }
  return sum;
}

double SquaredNorm(std::span<const float> values) {
  double sum = 0;
  for (const float value : values) sum += double{value} * double{value};
  return sum;
}

}  // namespace

double Distances::PeakSignalToNoise() const { return 10 * std::log10(kPeak * kPeak / pixels); }

std::vector<float> ToBlocks(std::span<const float> plain, std::size_t side) {
  std::vector<float> blocks(plain.size());
  for (std::size_t i = 0; i < plain.size(); ++i) blocks[PlaceInBlocks(i, side * side)] = plain[i];
  return blocks;
}

std::vector<float> FromBlocks(std::span<const float> blocks, std::size_t side) {
  std::vector<float> plain(blocks.size());
  for (std::size_t i = 0; i < plain.size(); ++i) plain[i] = blocks[PlaceInBlocks(i, side * side)];
  return plain;
}

Distance::Distance(const std::optional<Discriminator>& discriminator, std::size_t side, double feature_weight)
    : floats_(kColours * side * side), feature_weight_(feature_weight) {
  if (!discriminator || feature_weight <= 0) return;
  features_ = std::make_unique<FeatureGradient>(*discriminator, side);
  of_features_.resize(features_->count());
}

void Distance::SetPhotograph(std::span<const float> photograph) {
  photograph_.assign(photograph.begin(), photograph.end());
  if (!features_) return;
  features_->Forward(photograph_);
  wanted_.clear();
  energies_.clear();
  for (std::size_t l = 0; l < features_->count(); ++l) {
    const std::span<const float> values = features_->features(l);
    wanted_.emplace_back(values.begin(), values.end());
    energies_.push_back(SquaredNorm(values) + kLeastEnergy);
  }
}

void Distance::MeasurePixels(std::span<const float> images, Result& result) {
  gradient_.resize(images.size());
  const double count = static_cast<double>(floats_);
  tbb::parallel_for(std::size_t{0}, result.distances.size(), [&](std::size_t i) {
    const double sum = SquaredDifference(images.data() + i * floats_, photograph_.data(), floats_,
                                         static_cast<float>(2 / count), gradient_.data() + i * floats_);
    result.distances[i].pixels = sum / count;
    result.totals[i] = result.distances[i].pixels;
  });
}

void Distance::MeasureFeatures(std::span<const float> images, Want want, Result& result) {
  const auto layers = static_cast<double>(features_->count());
  features_->Forward(images);
  for (std::size_t l = 0; l < features_->count(); ++l) {
    const std::size_t floats = features_->floats(l);
    // Relative to the photograph's own features, because layers differ in their number and size by orders of magnitude.
    const double scale = 1 / (layers * energies_[l]);
    of_features_[l].resize(features_->features(l).size());
    tbb::parallel_for(std::size_t{0}, result.distances.size(), [&](std::size_t i) {
      result.distances[i].features +=
          scale * SquaredDifference(features_->features(l).data() + i * floats, wanted_[l].data(), floats,
                                    static_cast<float>(2 * scale * feature_weight_),
                                    of_features_[l].data() + i * floats);
    });
  }
  for (std::size_t i = 0; i < result.totals.size(); ++i)
    result.totals[i] += feature_weight_ * result.distances[i].features;
  if (want == Want::kValues) return;
  const std::span<const float> more = features_->Backward(of_features_);
  for (std::size_t i = 0; i < more.size(); ++i) gradient_[i] += more[i];
}

Distance::Result Distance::Measure(std::span<const float> images, Want want) {
  const std::size_t count = images.size() / floats_;
  Result result{std::vector<Distances>(count), std::vector<double>(count), {}};
  MeasurePixels(images, result);
  if (features_ && want != Want::kPixels) MeasureFeatures(images, want, result);
  result.gradient = gradient_;
  return result;
}

}  // namespace gan::project
