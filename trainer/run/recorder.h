#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "checkpoint/checkpoint.h"
#include "monitoring/metrics.h"
#include "trainer/distributed/communicator.h"
#include "trainer/run/options.h"
#include "trainer/run/run_folder.h"
#include "trainer/run/stats_file.h"
#include "trainer/run/step_record.h"
#include "trainer/run/tensorboard_log.h"

namespace gan::run {

// A line of stats.jsonl. A number that is not finite, or was not measured in this step, becomes null.
nlohmann::json ToJson(const StepRecord& record);

// A line of quality.jsonl: the measured state, the step in which the result took effect, and the measures.
nlohmann::json ToJson(const Measurement& measured, std::uint64_t effective_step);

// Publishes a run: on rank 0 stats.jsonl, quality.jsonl, TensorBoard files, the log and status.json; on every rank
// metrics. Not thread-safe.
class Recorder {
 public:
  // `first_step`, `first_image`: completed before this process started (0 for a new run). `stats_bytes`: the length of
  // stats.jsonl at that step, when it is known. Throws IoError when stats.jsonl cannot be read. Changes no file.
  Recorder(const RunFolder& folder, const TrainOptions& options, const distributed::World& world,
           monitoring::Metrics& metrics, std::uint64_t first_step, std::uint64_t first_image,
           std::optional<std::uint64_t> stats_bytes);

  // `fraction_done`: completed fraction of the whole run, in [0, 1].
  void Step(const StepRecord& record, double fraction_done);
  // `pause_seconds`: how long the save paused training.
  void Checkpoint(const checkpoint::SaveResult& saved, double pause_seconds);
  // Adds a grid of images to the files for TensorBoard. `png`: the file of the grid, which was just written.
  void Picture(const std::string& name, std::uint64_t step, const std::filesystem::path& png);
  void CheckpointFailed(const std::string& why);
  // `traffic`, `data_wait_seconds`: totals of this rank since the run began.
  void Traffic(const distributed::TrafficCounters& traffic, double data_wait_seconds);
  // The traffic that the metrics already contain. The metrics survive a rollback, so this number is passed on to the
  // next recorder.
  const distributed::TrafficCounters& published_traffic() const { return published_traffic_; }
  void set_published_traffic(const distributed::TrafficCounters& traffic) { published_traffic_ = traffic; }
  // The time per phase of a step on each rank, for status.json. In steps with RanksAreDue(), which is equal on all
  // ranks, every rank contributes MyTimes() to a gather, and the result is passed to Ranks().
  static bool RanksAreDue(std::uint64_t step) { return step < kRanksEvery || step % kRanksEvery == 0; }
  std::string MyTimes();  // mean times since the last call, as JSON
  void Ranks(const std::vector<std::string>& times);
  // Removes the lines of later steps from stats.jsonl and quality.jsonl; so does the first Step(). Throws IoError.
  void CutStats();
  // The length of stats.jsonl with all lines so far; 0 on ranks that do not write it.
  std::uint64_t StatsBytes() const { return stats_ ? stats_->bytes() : 0; }
  // A function that makes all lines so far durable. Another thread may call it, even after the recorder was destroyed.
  std::function<void()> StatsSync() const;
  // `count`: total of this rank since the run began. `newest`: describes the newest record for the log.
  void CorruptRecords(std::uint64_t count, const std::string& newest);
  // Writes the state ("running", "finished", "stopped", "diverged") to status.json. `ended_by`: the reason why a
  // finished run ended, "length" or "best".
  void Status(const std::string& state, const std::string& ended_by = "");

 private:
  static constexpr std::uint64_t kRanksEvery = 16;

  void LogStep(const StepRecord& record, double fraction_done);
  void SetMetrics(const StepRecord& record);
  void CountUpdates(const StepRecord& record);
  void LogForecast(const StepRecord& record);
  void AddTimes(const StepRecord& record);

  const RunFolder& folder_;
  const TrainOptions& options_;
  bool is_rank_zero_;
  double world_size_;
  monitoring::Metrics& metrics_;
  std::shared_ptr<StatsFile> stats_;      // rank 0 only; shared with the save in flight
  std::shared_ptr<StatsFile> quality_;    // rank 0 only; in a run that measures quality or has done so
  std::optional<TensorBoardLog> events_;  // rank 0 only
  std::chrono::steady_clock::time_point start_, last_log_;
  std::optional<double> first_fraction_;
  std::uint64_t last_step_ = 0, last_images_ = 0;
  double fraction_done_ = 0;
  std::optional<double> seconds_left_;
  step::StepTimes times_;   // sums over the steps since MyTimes()
  double times_total_ = 0;  // sum of the times of whole steps
  std::uint64_t times_steps_ = 0, times_images_ = 0;
  bool collapse_foretold_ = false;  // whether the last log line said that a mode collapse is expected
  nlohmann::json ranks_ = nlohmann::json::array();
  distributed::TrafficCounters published_traffic_;
  double published_data_wait_ = 0;
  std::uint64_t reported_corrupt_records_ = 0;
};

}  // namespace gan::run
