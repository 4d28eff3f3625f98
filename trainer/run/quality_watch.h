#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>

#include <nlohmann/json.hpp>

#include "checkpoint/checkpoint.h"
#include "trainer/run/best_of_run.h"
#include "trainer/run/measurement.h"
#include "trainer/run/options.h"
#include "trainer/run/quality_work.h"

namespace gan::run {

// Decides when quality is measured and applies the results. In every N-th step rank 0 begins to measure a copy of the
// generator on another thread (quality_work.h). The result takes effect a fixed number of steps later, on all ranks in
// the same step; training waits for it only there, and only if it is late. So a run is the same however fast the
// measuring is. The same on every rank. Not thread-safe.
class QualityWatch {
 public:
  // `enter` is called with Section::kEvaluate at each sign of life of a measurement that training waits for, and at the
  // end with Section::kStep. `options` and `folder` must outlive the object. Throws UsageError on rank 0 when the
  // holdout is too small for the measures.
  QualityWatch(const TrainOptions& options, const std::shared_ptr<const data::Dataset>& dataset,
               const data::Classes& classes, const RunFolder& folder, torch::Device device,
               std::shared_ptr<distributed::Communicator> communicator, std::function<void(Section)> enter);

  QualityWatch(const QualityWatch&) = delete;
  QualityWatch& operator=(const QualityWatch&) = delete;

  // The number of steps from a measured state to the step in which the result takes effect: before the next
  // measurement, and 0 when every step is measured.
  static std::uint64_t Delay(std::uint64_t every) { return every - (every + 3) / 4; }

  // Call it after every step, before Begin(). Collective. Returns the measurement that takes effect in this step, if
  // there is one. `is_last`: the run ends with this step, so a pending measurement is waited for.
  std::optional<Measurement> Take(std::uint64_t step, bool is_last);
  // Begins to measure the state after this step if a measurement is due. Returns whether it did. Its checkpoint must be
  // saved and kept while the measurement is pending, because a run that resumes begins it again from there.
  bool Begin(const step::Gan& gan, std::uint64_t step, std::uint64_t images);
  const std::optional<PendingMeasurement>& pending() const { return pending_; }

  // The step with the best quality so far. Its checkpoint is never removed.
  std::optional<std::uint64_t> best_step() const;
  const BestOfRun& best() const { return best_; }
  // Whether --stop-when best ends the run.
  bool HasReachedBest() const { return options_.stop_when == "best" && best_.HasWaitedEnough(); }

  nlohmann::json Save() const;
  // `images`: of the restored step. A pending measurement must then be begun again or forgotten.
  void Restore(const nlohmann::json& state, std::uint64_t images);
  // Begins the restored measurement again, on rank 0, with the checkpoint of the measured step. Throws DataError.
  void BeginAgain(const checkpoint::Checkpoint& saved, const step::Gan& like);
  void ForgetPending() { pending_.reset(); }

 private:
  void WaitForRankZero();
  void PrepareBeforeFirst(std::uint64_t step);

  const TrainOptions& options_;
  std::shared_ptr<distributed::Communicator> communicator_;
  std::function<void(Section)> enter_;
  BestOfRun best_;
  std::optional<PendingMeasurement> pending_;
  std::optional<QualityWork> work_;  // on rank 0
};

}  // namespace gan::run
