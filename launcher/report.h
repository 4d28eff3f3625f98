// Reports the state of a job: in the log, in launch.json, as alerts, and as the status of a TrainJob.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "launcher/diagnosis.h"
#include "monitoring/push/alerts.h"
#include "monitoring/push/train_job.h"

namespace gan::launch {

struct JobState {
  std::string state;  // "restarting", "finished", "stopped", "diverged", "failed", "interrupted"
  int exit_code = 0;
  std::string why;
  std::uint64_t restarts = 0;
  std::optional<std::uint64_t> step;  // step of the newest checkpoint
  Diagnosis diagnosis;                // of the attempt that ended last
};

class Report {
 public:
  // Throws UsageError when the target of alerts cannot be used. Call it when all signals are blocked.
  explicit Report(const std::filesystem::path& run);
  // Waits a few seconds at most until the alerts and the last status are sent.
  ~Report();
  Report(const Report&) = delete;
  Report& operator=(const Report&) = delete;

  // Writes launch.json, and raises an alert when an attempt has ended by a failure. A full disk is only logged.
  void Tell(const JobState& job);

 private:
  void StartTrainJob();
  void Write(const JobState& job) const;
  void RaiseAlert(const JobState& job);

  const std::filesystem::path run_;
  std::unique_ptr<monitoring::Alerts> alerts_;
  std::unique_ptr<monitoring::TrainJobReporter> train_job_;  // in a pod of Kubeflow Trainer
};

// Writes launch.json for a job that was refused before it began, if the run folder exists.
void WriteRefusal(const std::filesystem::path& run, Cause cause, int exit_code, const std::string& why);

}  // namespace gan::launch
