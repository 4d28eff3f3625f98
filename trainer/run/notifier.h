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

// Reports the run to other systems while it trains: alerts from rank 0, metrics as OTLP from every rank, and verdicts
// and interventions as OTLP events from rank 0. Only the calls at the end of a run wait for delivery, for a few seconds
// at most. Step() and End() belong to the training thread; the other functions may be called from any thread.
class Notifier {
 public:
  // `metrics` must outlive this object. Throws UsageError when an address cannot be used; the error does not contain
  // it.
  Notifier(const TrainOptions& options, const distributed::World& world, const std::filesystem::path& run,
           const monitoring::Metrics& metrics);

  // Throws the errors of the constructor. Call it before a run folder is made.
  static void Check(const TrainOptions& options, const distributed::World& world);

  void Step(const StepRecord& record);
  // Reports the end of the run with the state in status.json: "finished", "stopped" or "diverged".
  void End(const std::string& state, std::uint64_t step, std::uint64_t images);
  // Reports that the run ends with an error.
  void Failed(const std::string& why);
  // The watchdog got no sign of life from a section.
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
