#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

#include "monitoring/metrics.h"
#include "monitoring/push/alerts.h"
#include "monitoring/push/otlp.h"
#include "trainer/distributed/communicator.h"
#include "trainer/run/alert_rules.h"
#include "trainer/run/options.h"
#include "trainer/run/step_record.h"
#include "trainer/run/watchdog.h"

namespace gan::run {

// Tells others about the run while it goes on: alerts from rank 0, metrics as OTLP from every rank, and verdicts and
// interventions as OTLP events from rank 0. Only Flush-like calls at the end of a run wait, and those for seconds at
// most. Step() and End() belong to the training thread; the other functions may be called from any thread.
class Notifier {
 public:
  // `metrics` must outlive this object. Throws UsageError when an address cannot be used; the error does not contain
  // it.
  Notifier(const TrainOptions& options, const distributed::World& world, const std::filesystem::path& run,
           const monitoring::Metrics& metrics);

  // Throws what the constructor would throw, before a run folder is made.
  static void Check(const TrainOptions& options, const distributed::World& world);

  void Step(const StepRecord& record);
  // The run ends as status.json says: "finished", "stopped" or "diverged".
  void End(const std::string& state, std::uint64_t step, std::uint64_t images);
  // The run ends with an error.
  void Failed(const std::string& why);
  // The watchdog heard nothing of a section.
  void Silent(const Silence& silence);

 private:
  void LogEvents(const StepRecord& record);
  void Raise(monitoring::Alert alert);
  void Flush();

  const bool is_rank_zero_;
  AlertRules rules_;
  balance::Verdict logged_verdict_ = balance::Verdict::kBalanced;
  std::unique_ptr<monitoring::Alerts> alerts_;  // rank 0, when there is a target
  std::unique_ptr<monitoring::Otlp> otlp_;      // when there is an endpoint
};

}  // namespace gan::run
