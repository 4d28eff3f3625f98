#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "trainer/data/loader.h"
#include "trainer/quality/evaluator.h"
#include "trainer/run/options.h"
#include "trainer/step/gan.h"

namespace gan::run {

// The quality of each class of a conditional run, for classes with at least kFewest held-out images. With fewer images
// the measures would be mostly noise. Not thread-safe.
class QualityByClass {
 public:
  static constexpr std::uint64_t kFewest = 50;

  // Measures nothing without classes, or with more than step::kMostWatchedClasses. `alive` is called at the beginning
  // of every batch. `options` must outlive the object.
  QualityByClass(const TrainOptions& options, const std::shared_ptr<const data::Dataset>& dataset,
                 const data::Classes& classes, torch::Device device, const std::function<void()>& alive);

  // As Evaluator::Prepare().
  void Prepare();
  // For each class, by name: swd, frechet and coverage against its held-out images, and the diversity of its generated
  // and of its real images.
  nlohmann::json Measure(torch::nn::Sequential& generator);

 private:
  struct OfClass {
    std::string name;
    std::uint32_t number;
    std::unique_ptr<quality::Evaluator> evaluator;
  };

  const TrainOptions& options_;
  torch::Device device_;
  std::function<void()> alive_;
  std::size_t number_of_classes_;
  std::vector<OfClass> classes_;
};

}  // namespace gan::run
