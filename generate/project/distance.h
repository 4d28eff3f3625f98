#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "generate/project/discriminator.h"
#include "generate/project/feature_gradient.h"

namespace gan::project {

// The distance of an image from the photograph. pixels: mean squared difference of values in [-1, 1]. features: for
// each layer of D the squared difference relative to the photograph's features, averaged over the layers; 0 without D.
struct Distances {
  double pixels = 0;
  double features = 0;

  double PeakSignalToNoise() const;  // in dB, for values in [-1, 1]
};

// The distance of many images from one photograph at a time, with its gradient: pixels + weight * features. Not
// thread-safe. Images in Layout::kBlocks.
class Distance {
 public:
  Distance(const std::optional<Discriminator>& discriminator, std::size_t side, double feature_weight);

  void SetPhotograph(std::span<const float> photograph);  // float [3, side, side] in [-1, 1], in blocks

  struct Result {
    std::vector<Distances> distances;  // [N]
    std::vector<double> totals;        // [N]
    std::span<const float> gradient;   // of each total with respect to its image; valid until the next call
  };
  enum class Want { kPixels, kValues, kGradient };  // kPixels: without the features, also in the totals
  Result Measure(std::span<const float> images, Want want);

 private:
  void MeasurePixels(std::span<const float> images, Result& result);
  void MeasureFeatures(std::span<const float> images, Want want, Result& result);

  std::size_t floats_;
  double feature_weight_;
  std::unique_ptr<FeatureGradient> features_;  // null without D
  std::vector<float> photograph_;
  std::vector<std::vector<float>> wanted_;       // the photograph's features
  std::vector<double> energies_;                 // their squared norms
  std::vector<std::vector<float>> of_features_;  // gradients
  std::vector<float> gradient_;
};

// float [3, side, side] -> Layout::kBlocks, and back.
std::vector<float> ToBlocks(std::span<const float> plain, std::size_t side);
std::vector<float> FromBlocks(std::span<const float> blocks, std::size_t side);

}  // namespace gan::project
