// Measures the quality of generated images against held-out real ones.
#pragma once

#include <torch/types.h>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "trainer/quality/features.h"

namespace gan::quality {

struct Measured {
  std::vector<std::pair<std::string, double>> values;  // name -> value, in a fixed order
  double diversity = 0, diversity_reference = 0;       // 1 - mean MS-SSIM of pairs of generated and of real images
};

// IsMeasure: whether `name` is a measure by which the best checkpoint can be chosen. IsBetter: whether `value` is
// better than `than`.
bool IsMeasure(const std::string& name);
bool IsBetter(const std::string& name, double value, double than);

struct EvaluatorOptions {
  std::int64_t count = 512;  // images of each kind; must be even
  std::uint64_t seed = 1;
  std::filesystem::path inception;  // TorchScript; empty: FID and KID are not measured
};

// Returns images [first, first + count) of a set, float [count, 3, R, R] in [-1, 1].
using ImageSource = std::function<torch::Tensor(std::int64_t first, std::int64_t count)>;

// Asks for images in batches of at most kBatch, so that only one batch is in memory at a time. Features of the real
// images are computed once. Not thread-safe.
class Evaluator {
 public:
  static constexpr std::int64_t kBatch = 32;

  // `reals`: held-out images. `training`: images that the generator learns from. Their measures against the held-out
  // images are the floors of the measures, which a generator need not surpass. Empty: no floors.
  Evaluator(const EvaluatorOptions& options, ImageSource reals, ImageSource training, torch::Device device);
  // Computes the features of the real images, unless that was done before. Measure() calls it.
  void Prepare();
  // Measures swd, ms_ssim, density, coverage, frechet, kernel and, with an Inception network, fid and kid; then
  // swd_floor, frechet_floor and coverage_floor. Higher coverage is better, so coverage_floor is an upper reference:
  // the coverage of the training images.
  Measured Measure(const ImageSource& fakes);

 private:
  // The features of a set of images.
  struct Summary {
    // one tensor per pyramid level; for the real images only their projections are kept
    std::vector<torch::Tensor> patches;
    torch::Tensor features, inception;  // [count, D]
    double ms_ssim = 0;                 // mean over pairs of neighbours
  };
  Summary Summarise(const ImageSource& images) const;
  Measured Compare(const Summary& images) const;

  EvaluatorOptions options_;
  ImageSource reals_, training_;
  RandomFeatures features_;
  std::optional<InceptionFeatures> inception_;
  std::optional<Summary> real_;
  std::vector<torch::Tensor> real_projections_;
  std::vector<std::pair<std::string, double>> floors_;
};

}  // namespace gan::quality
