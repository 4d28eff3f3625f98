#include "launcher/report.h"

#include <ctime>

#include <nlohmann/json.hpp>

#include "cli/addresses.h"
#include "cli/log.h"
#include "storage/errors.h"
#include "storage/files.h"

namespace gan::launch {

using Json = nlohmann::json;

namespace {

// At the end of a job, gan-launch waits at most this long for a receiver that does not answer.
constexpr std::chrono::seconds kAlertPatience{5};

Json TextOrNull(const std::string& text) { return text.empty() ? Json() : Json(text); }

Json CauseJson(const Diagnosis& diagnosis) {
  if (diagnosis.cause == Cause::kNone) return nullptr;
  return {{"cause", Name(diagnosis.cause)},
          {"rank", diagnosis.rank ? Json(*diagnosis.rank) : Json()},
          {"host", TextOrNull(diagnosis.host)},
          {"section", TextOrNull(diagnosis.section)},
          {"collective", TextOrNull(diagnosis.collective)},
          {"detail", TextOrNull(diagnosis.detail)},
          {"stacks", TextOrNull(diagnosis.stacks)},
          {"sentence", Sentence(diagnosis)}};
}

}  // namespace

Report::Report(const std::filesystem::path& run) : run_(run) {
  // No flags are given here, because MoveSecretsToEnvironment() has moved them already.
  const monitoring::AlertTargets targets = monitoring::ReadAlertTargets("", "");  // from the environment
  if (targets.any()) alerts_ = std::make_unique<monitoring::Alerts>(targets, run, &cli::LogWarning);
  StartTrainJob();
}

// Incomplete variables must not keep a run from training. Without any of them gan-launch does not run in such a pod,
// and does not report.
void Report::StartTrainJob() {
  try {
    if (auto server = monitoring::ReadTrainJobServer()) {
      train_job_ = std::make_unique<monitoring::TrainJobReporter>(std::move(*server), run_, &cli::LogWarning);
    }
  } catch (const UsageError& error) {
    cli::LogWarning(std::string(error.what()) + "; the TrainJob's status is not updated");
  }
}

Report::~Report() {
  if (train_job_) train_job_->Flush(kAlertPatience);
  if (alerts_) alerts_->Flush(kAlertPatience);
}

void Report::Write(const JobState& job) const {
  const Json record = {{"state", job.state},
                       {"exit_code", job.exit_code},
                       {"why", job.why},
                       {"died", CauseJson(job.diagnosis)},
                       {"restarts", job.restarts},
                       {"newest_checkpoint_step", job.step ? Json(*job.step) : Json()},
                       {"unix_seconds", std::time(nullptr)}};
  try {
    // A rank may have written bytes that are not UTF-8, and the detail is cut at a number of bytes. dump() would throw
    // in both cases.
    storage::WriteFileAtomically(run_ / "launch.json",
                                 record.dump(2, ' ', false, Json::error_handler_t::replace) + "\n");
  } catch (const IoError& error) {  // a full disk must not change the exit code
    cli::LogWarning(error.what());
  }
}

void Report::Tell(const JobState& job) {
  Write(job);
  if (job.state == "failed" || job.state == "restarting") RaiseAlert(job);
}

// No alert for a divergence, because the run itself reports it.
void Report::RaiseAlert(const JobState& job) {
  const bool is_last = job.state == "failed";
  if (!alerts_ || job.diagnosis.cause == Cause::kNone || job.diagnosis.cause == Cause::kNotANumber) return;
  monitoring::Alert alert{.event = is_last ? "job_failed" : "rank_failed", .severity = monitoring::Severity::kCritical};
  alert.text = Sentence(job.diagnosis) + (is_last ? "; the job has ended" : "; the job is restarted");
  alert.details = {{"died", CauseJson(job.diagnosis)}, {"restarts", job.restarts}, {"exit_code", job.exit_code}};
  alert.is_last = is_last;
  alerts_->Raise(std::move(alert));
}

void WriteRefusal(const std::filesystem::path& run, Cause cause, int exit_code, const std::string& why) {
  if (!std::filesystem::is_directory(run)) return;
  const Json record = {{"state", "failed"},
                       {"exit_code", exit_code},
                       {"why", cli::WithoutAddresses(why)},
                       {"died", CauseJson({.cause = cause, .detail = cli::WithoutAddresses(why)})},
                       {"restarts", 0},
                       {"newest_checkpoint_step", nullptr},
                       {"unix_seconds", std::time(nullptr)}};
  try {
    storage::WriteFileAtomically(run / "launch.json",
                                 record.dump(2, ' ', false, Json::error_handler_t::replace) + "\n");
  } catch (const IoError& error) {
    cli::LogWarning(error.what());
  }
}

}  // namespace gan::launch
