#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include <nlohmann/json.hpp>

#include "trainer/data/loader.h"
#include "trainer/quality/evaluator.h"
#include "trainer/run/options.h"
#include "trainer/step/gan.h"

namespace gan::run {

// Measures the pictures of G's averaged weights (raw ones where there is no average) against the holdout on a schedule,
// and remembers the best step by the measure that the user named. The same on every rank. Not thread-safe.
class QualityWatch {
 public:
  // `enter` is told of every batch that begins, and at the end that the step goes on. Throws UsageError when the
  // holdout is too small to be measured against.
  QualityWatch(const TrainOptions& options, std::shared_ptr<const data::Dataset> dataset, torch::Device device,
               std::shared_ptr<distributed::Communicator> communicator, std::function<void(Section)> enter);

  QualityWatch(const QualityWatch&) = delete;
  QualityWatch& operator=(const QualityWatch&) = delete;

  // Collective. Nothing when this step is not one of the schedule. What rank 0 has measured, on every rank: a rounding
  // that differs must not make ranks decide differently.
  std::optional<quality::Measured> Measure(const step::Gan& gan, std::uint64_t step);
  // The step with the best measure so far; its checkpoint is never removed.
  const std::optional<std::uint64_t>& best_step() const { return best_step_; }

  nlohmann::json Save() const;
  void Restore(const nlohmann::json& state);

 private:
  void Remember(const quality::Measured& measured, std::uint64_t step);

  const TrainOptions& options_;
  torch::Device device_;
  std::shared_ptr<distributed::Communicator> communicator_;
  std::function<void(Section)> enter_;
  std::optional<quality::Evaluator> evaluator_;
  std::optional<std::uint64_t> best_step_;
  double best_value_ = 0;
};

// Collective. The numbers of rank 0, bit for bit. Every rank has measured the same things.
quality::Measured OfRankZero(quality::Measured measured, distributed::Communicator& communicator);

}  // namespace gan::run
