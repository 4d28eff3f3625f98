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

// The quality of each class of a conditional run, for classes with at least kFewest held-out images. Fewer make the
// measures noise. Not thread-safe.
class QualityByClass {
 public:
  static constexpr std::uint64_t kFewest = 50;

  // Measures nothing without --quality-every, without classes, or with more than step::kMostWatchedClasses. `enter` is
  // called at the beginning of every batch with Section::kEvaluate and at the end with Section::kStep.
  QualityByClass(const TrainOptions& options, std::shared_ptr<const data::Dataset> dataset,
                 const data::Classes& classes, torch::Device device,
                 std::shared_ptr<distributed::Communicator> communicator, std::function<void(Section)> enter);

  // Collective. Of each class by name: swd, frechet and coverage against its held-out images, and the diversity of its
  // generated and of its real images. Every rank gets the numbers of rank 0.
  nlohmann::json Measure(const step::Gan& gan);

 private:
  struct OfClass {
    std::string name;
    std::uint32_t number;
    std::unique_ptr<quality::Evaluator> evaluator;
  };

  const TrainOptions& options_;
  torch::Device device_;
  std::shared_ptr<distributed::Communicator> communicator_;
  std::function<void(Section)> enter_;
  std::vector<OfClass> classes_;
};

}  // namespace gan::run
