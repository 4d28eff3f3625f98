// Measures generated images against held-out real ones.
#pragma once

#include <torch/torch.h>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "trainer/distributed/communicator.h"
#include "trainer/quality/features.h"

namespace gan::quality {

struct Measured {
  std::vector<std::pair<std::string, double>> values;  // name -> value, in a fixed order
  double diversity = 0, diversity_reference = 0;       // 1 - mean MS-SSIM of pairs of fakes, of reals
};

// Names that a checkpoint can be kept by, and which way is better.
bool IsMeasure(const std::string& name);
bool IsBetter(const std::string& name, double value, double than);

struct EvaluatorOptions {
  std::int64_t count = 512;  // images of each kind, even
  std::uint64_t seed = 1;
  std::filesystem::path inception;  // TorchScript; empty: no FID and KID
};

// Images [first, first + count) of a set, float [count, 3, R, R] in [-1, 1]: the same whoever asks.
using ImageSource = std::function<torch::Tensor(std::int64_t first, std::int64_t count)>;

// Ranks share the images, the network passes and the projections; each ends with the same numbers, those that one rank
// alone gets (up to rounding in convolutions of other batch sizes). Reals are looked at once. Not thread-safe.
class Evaluator {
 public:
  // `reals`: held out. `training`: pictures that the generator learns from; what they reach against the held-out ones
  // is the floor of a measure, which no generator need fall below. None: no floors.
  Evaluator(const EvaluatorOptions& options, ImageSource reals, ImageSource training, torch::Device device,
            std::shared_ptr<distributed::Communicator> communicator);
  // Collective. swd, ms_ssim, density, coverage, frechet, kernel and, with an Inception, fid and kid; then swd_floor,
  // frechet_floor and coverage_floor (for coverage a ceiling in fact: the same measure of the training pictures).
  Measured Measure(const ImageSource& fakes);

 private:
  // A set of images as the measures see it, the same on every rank.
  struct Summary {
    std::vector<torch::Tensor> patches;  // a tensor a pyramid level
    torch::Tensor features, inception;   // [count, D]
    double ms_ssim = 0;                  // mean over pairs of neighbours
  };
  Summary Summarise(const ImageSource& images) const;
  Measured Compare(const Summary& images) const;

  EvaluatorOptions options_;
  ImageSource reals_, training_;
  RandomFeatures features_;
  std::optional<InceptionFeatures> inception_;
  std::shared_ptr<distributed::Communicator> communicator_;
  std::optional<Summary> real_;
  std::vector<std::pair<std::string, double>> floors_;
};

}  // namespace gan::quality
