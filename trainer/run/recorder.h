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
#include "trainer/distributed/communicator.h"
#include "trainer/run/options.h"
#include "trainer/run/run_folder.h"
#include "trainer/run/stats_file.h"
#include "trainer/run/step_record.h"
#include "trainer/tensorboard/event_file.h"

namespace gan::run {

// The line of stats.jsonl. A number that is not finite, or was not measured in this step, becomes null.
nlohmann::json ToJson(const StepRecord& record);

// Publishes a run: stats.jsonl, TensorBoard, the log and status.json on rank 0, metrics on every rank.
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
  // Bytes that this rank exchanged and seconds that it waited since the run began.
  void Traffic(const distributed::TrafficCounters& traffic, double data_wait_seconds);
  // The part of it that the metrics hold already. They outlive a rollback, and so they outlive this recorder.
  const distributed::TrafficCounters& published_traffic() const { return published_traffic_; }
  void set_published_traffic(const distributed::TrafficCounters& traffic) { published_traffic_ = traffic; }
  // Where the time of a step goes on each rank, for status.json. In steps for which RanksAreDue(), which is equal on
  // all ranks, each contributes MyTimes() to a gather, whose result goes to Ranks().
  static bool RanksAreDue(std::uint64_t step) { return step < kRanksEvery || step % kRanksEvery == 0; }
  std::string MyTimes();  // means over the steps since the last call, as JSON
  void Ranks(const std::vector<std::string>& times);
  // Removes later steps from stats.jsonl. The first Step() does so as well. Throws IoError.
  void CutStats();
  // How long stats.jsonl is with the lines so far; 0 on ranks that write none.
  std::uint64_t StatsBytes() const { return stats_ ? stats_->bytes() : 0; }
  // Puts the lines so far on the disk; may be called from another thread, also when the recorder is gone.
  std::function<void()> StatsSync() const;
  // `count`: of this rank since the run began; `newest`: describes the newest one for the log.
  void CorruptRecords(std::uint64_t count, const std::string& newest);
  // "running", "finished", "stopped", "diverged", into status.json.
  void Status(const std::string& state);

 private:
  static constexpr std::uint64_t kRanksEvery = 16;

  void OpenTensorBoard(std::uint64_t first_step);
  void AddToTensorBoard(std::uint64_t step, const nlohmann::json& stats);
  // A full disk does not end a run: the first line that TensorBoard misses is logged.
  void ForTensorBoard(const std::function<void()>& work);
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
  std::shared_ptr<StatsFile> stats_;  // rank 0; shared with the save in flight
  std::unique_ptr<tensorboard::EventFile> events_;
  bool events_failed_ = false;
  std::set<std::pair<std::string, std::uint64_t>> published_pictures_;
  std::chrono::steady_clock::time_point start_, last_log_;
  std::optional<double> first_fraction_;
  std::uint64_t last_step_ = 0, last_images_ = 0;
  double fraction_done_ = 0;
  std::optional<double> seconds_left_;
  step::StepTimes times_;   // summed over the steps since MyTimes()
  double times_total_ = 0;  // the whole steps'
  std::uint64_t times_steps_ = 0, times_images_ = 0;
  bool collapse_foretold_ = false;  // as logged last
  nlohmann::json ranks_ = nlohmann::json::array();
  distributed::TrafficCounters published_traffic_;
  double published_data_wait_ = 0;
  std::uint64_t reported_corrupt_records_ = 0;
};

}  // namespace gan::run
