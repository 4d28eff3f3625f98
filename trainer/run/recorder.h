#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "checkpoint/checkpoint.h"
#include "monitoring/metrics.h"
#include "trainer/balance/balance.h"
#include "trainer/quality/evaluator.h"
#include "trainer/run/observe.h"
#include "trainer/run/options.h"
#include "trainer/run/run_folder.h"
#include "trainer/run/stats_file.h"
#include "trainer/step/train_step.h"
#include "trainer/tensorboard/event_file.h"

namespace gan::run {

// One finished step, ready to be told.
struct StepRecord {
  std::uint64_t step = 0;    // 1 for the first
  std::uint64_t images = 0;  // real images consumed so far, all ranks
  double epoch = 0;
  double lr_g = 0, lr_d = 0;
  double augment_probability = 0;
  double seconds = 0;
  double images_per_second = 0;
  Observation seen;
  std::optional<quality::Measured> quality;  // when it was this step's turn
  step::StepResult local;
  balance::Verdict verdict = balance::Verdict::kBalanced;
  std::vector<balance::Intervention> interventions;
  bool best = false;  // the best pictures so far, by the measure that the user named
};

// The contract's line of stats.jsonl. A number that is not finite becomes null, one that was not measured too.
nlohmann::json ToJson(const StepRecord& record);

// Tells the world about the run: stats.jsonl, metrics, the log, status.json. Files and log on rank 0, metrics on all.
// Not thread-safe.
class Recorder {
 public:
  // `first_step`, `first_image`: done before this process (0 for a new run); `stats_bytes`: of stats.jsonl at that
  // step, when it is known. Throws IoError where stats.jsonl cannot be read; changes nothing.
  Recorder(const RunFolder& folder, const TrainOptions& options, const distributed::World& world,
           monitoring::Metrics& metrics, std::uint64_t first_step, std::uint64_t first_image,
           std::optional<std::uint64_t> stats_bytes);

  // `fraction_done` in [0, 1] of the whole run.
  void Step(const StepRecord& record, double fraction_done);
  // `pause_seconds`: how long training stood still for it.
  void Checkpoint(const checkpoint::SaveResult& saved, double pause_seconds);
  // A grid that has just been written; for TensorBoard.
  void Picture(const std::string& name, std::uint64_t step, const std::filesystem::path& png);
  void CheckpointFailed(const std::string& why);
  // What all ranks exchanged and waited for since the run began.
  void Traffic(const distributed::TrafficCounters& traffic, double data_wait_seconds);
  // How much of that the metrics hold already. They outlive a rollback, and so the recorder before this one.
  const distributed::TrafficCounters& told_traffic() const { return told_traffic_; }
  void set_told_traffic(const distributed::TrafficCounters& told) { told_traffic_ = told; }
  // Where the time of a step goes on each rank, for status.json. Every rank asks the same and gets the same answer; in
  // the steps that are due all ranks gather MyTimes() and hand what came together to Ranks().
  static bool RanksAreDue(std::uint64_t step) { return step < kRanksEvery || step % kRanksEvery == 0; }
  std::string MyTimes();  // means over the steps since it was asked last, as JSON
  void Ranks(const std::vector<std::string>& times);
  // What stats.jsonl holds of later steps goes, at the latest with the first step. Throws IoError.
  void CutStats();
  // How long stats.jsonl is with the lines so far; 0 on ranks that write none.
  std::uint64_t StatsBytes() const { return stats_ ? stats_->bytes() : 0; }
  // Puts the lines so far on the disk; may be called from another thread, also when the recorder is gone.
  std::function<void()> StatsSync() const;
  // `count` of this rank since the run began; the newest one is told in words.
  void CorruptRecords(std::uint64_t count, const std::string& newest);
  // "running", "finished", "stopped", "diverged", into status.json.
  void Status(const std::string& state);

 private:
  static constexpr std::uint64_t kRanksEvery = 16;

  void OpenTensorBoard(std::uint64_t first_step);
  void AddToTensorBoard(std::uint64_t step, const nlohmann::json& stats);
  // A full disk ends no run: what TensorBoard does not get is told once.
  void ForTensorBoard(const std::function<void()>& work);
  void LogStep(const StepRecord& record, double fraction_done);
  void SetMetrics(const StepRecord& record);
  void AddTimes(const StepRecord& record);

  const RunFolder& folder_;
  const TrainOptions& options_;
  bool speaks_;
  double ranks_count_;
  monitoring::Metrics& metrics_;
  std::shared_ptr<StatsFile> stats_;  // rank 0; shared with the save in flight
  std::unique_ptr<tensorboard::EventFile> events_;
  bool events_refused_ = false;
  std::set<std::pair<std::string, std::uint64_t>> pictures_told_;
  std::chrono::steady_clock::time_point start_, last_log_;
  std::optional<double> first_fraction_;
  std::uint64_t last_step_ = 0, last_images_ = 0;
  double fraction_done_ = 0;
  std::optional<double> seconds_left_;
  step::StepTimes times_;   // summed over the steps since MyTimes()
  double times_total_ = 0;  // the whole steps'
  std::uint64_t times_steps_ = 0, times_images_ = 0;
  nlohmann::json ranks_ = nlohmann::json::array();
  distributed::TrafficCounters told_traffic_;
  double told_data_wait_ = 0;
  std::uint64_t told_corrupt_ = 0;
};

}  // namespace gan::run
