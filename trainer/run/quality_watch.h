#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include <nlohmann/json.hpp>

#include "trainer/data/loader.h"
#include "trainer/quality/evaluator.h"
#include "trainer/run/best_of_run.h"
#include "trainer/run/copy_watch.h"
#include "trainer/run/options.h"
#include "trainer/step/gan.h"

namespace gan::run {

// Measures images of G's averaged weights (of its current weights when there is no average) against the holdout in
// regular intervals, and remembers the best step according to the measure that the user has selected. The same on every
// rank. Not thread-safe.
class QualityWatch {
 public:
  // `enter` is called at the beginning of every batch with Section::kEvaluate and at the end with Section::kStep.
  // `folder`: gets grids of generated images beside the nearest training images; it must outlive the object. Throws
  // UsageError when the holdout is too small for the measures.
  QualityWatch(const TrainOptions& options, std::shared_ptr<const data::Dataset> dataset, const RunFolder& folder,
               torch::Device device, std::shared_ptr<distributed::Communicator> communicator,
               std::function<void(Section)> enter);

  QualityWatch(const QualityWatch&) = delete;
  QualityWatch& operator=(const QualityWatch&) = delete;

  // Collective. Empty in steps that are not measured. Every rank gets the numbers of rank 0, because a rounding
  // difference must not lead to different decisions.
  std::optional<quality::Measured> Measure(const step::Gan& gan, std::uint64_t step, std::uint64_t images);
  // The step with the best quality so far. Its checkpoint is never removed.
  std::optional<std::uint64_t> best_step() const;
  const BestOfRun& best() const { return best_; }
  // Whether --stop-when best ends the run.
  bool HasReachedBest() const { return options_.stop_when == "best" && best_.HasWaitedEnough(); }

  nlohmann::json Save() const { return best_.Save(); }
  // `images`: of the restored step.
  void Restore(const nlohmann::json& state, std::uint64_t images) { best_.Restore(state, images); }

 private:
  CopyWatch::Values MeasureCopies(const quality::ImageSource& fakes, torch::nn::Sequential& generator,
                                  std::uint64_t step);

  const TrainOptions& options_;
  torch::Device device_;
  std::shared_ptr<distributed::Communicator> communicator_;
  std::function<void(Section)> enter_;
  std::optional<quality::Evaluator> evaluator_;
  std::optional<CopyWatch> copies_;
  BestOfRun best_;
};

// Collective. Returns the numbers of rank 0, bit for bit. Every rank passes the same measures.
quality::Measured OfRankZero(quality::Measured measured, distributed::Communicator& communicator);

}  // namespace gan::run
