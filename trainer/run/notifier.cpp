#include "trainer/run/notifier.h"

#include <utility>

#include "cli/log.h"
#include "storage/counted.h"
#include "storage/folder_name.h"
#include "storage/host_name.h"

namespace gan::run {

using monitoring::Alert;
using monitoring::Severity;

namespace {

// Maximum delay of the end of a run by an endpoint that does not answer.
constexpr std::chrono::seconds kPatience{5};
// Maximum delay of the end of a rank that its watchdog ends.
constexpr std::chrono::seconds kPatienceWhenHanging{3};

constexpr int kInfo = 9, kWarn = 13, kError = 17;  // OpenTelemetry's numbers

monitoring::OtlpOptions OtlpOf(const TrainOptions& options, const distributed::World& world,
                               const std::filesystem::path& run) {
  monitoring::OtlpOptions otlp = monitoring::ReadOtlpOptions(options.otlp_endpoint, "gan-train");
  otlp.resource.emplace("host.name", storage::HostName());
  otlp.resource.emplace("service.instance.id", storage::NameOfFolder(run) + "/rank-" + std::to_string(world.rank));
  return otlp;
}

}  // namespace

Notifier::Notifier(const TrainOptions& options, const distributed::World& world, const std::filesystem::path& run,
                   const monitoring::Metrics& metrics)
    : is_rank_zero_(world.rank == 0) {
  if (is_rank_zero_) {
    const auto targets = monitoring::ReadAlertTargets(options.alert_webhook, options.alert_command);
    if (targets.any()) alerts_ = std::make_unique<monitoring::Alerts>(targets, run, &cli::LogWarning);
  }
  monitoring::OtlpOptions otlp = OtlpOf(options, world, run);
  if (otlp.any()) otlp_ = std::make_unique<monitoring::Otlp>(std::move(otlp), metrics, &cli::LogWarning);
}

// Only rank 0 sends alerts, so only its host needs the file of @FILE.
void Notifier::Check(const TrainOptions& options, const distributed::World& world) {
  if (world.rank == 0) monitoring::ReadAlertTargets(options.alert_webhook, options.alert_command);
  monitoring::ReadOtlpOptions(options.otlp_endpoint, "gan-train");
}

void Notifier::Step(const StepRecord& record) {
  if (alerts_) {
    for (Alert& alert : rules_.Observe(record.step, record.images, record.verdict, record.interventions)) {
      alerts_->Raise(std::move(alert));
    }
  }
  if (otlp_ && is_rank_zero_) LogEvents(record);
}

void Notifier::LogEvents(const StepRecord& record) {
  const std::string step = std::to_string(record.step);
  for (const balance::Intervention& done : record.interventions) {
    otlp_->Log({.name = "intervention",
                .text = done.reason,
                .severity = IsHeavy(done.action) ? kWarn : kInfo,
                .attributes = {{"step", step}, {"action", done.action}}});
  }
  // One event per change; the verdict of every step is a metric.
  if (std::exchange(logged_verdict_, record.verdict) == record.verdict) return;
  const std::string verdict(balance::Name(record.verdict));
  const bool is_bad =
      record.verdict == balance::Verdict::kModeCollapse || record.verdict == balance::Verdict::kDiverged;
  otlp_->Log({.name = "verdict",
              .text = "the verdict is " + verdict,
              .severity = is_bad                                          ? kError
                          : record.verdict == balance::Verdict::kBalanced ? kInfo
                                                                          : kWarn,
              .attributes = {{"step", step}, {"verdict", verdict}}});
}

void Notifier::Raise(Alert alert) {
  if (alerts_) alerts_->Raise(std::move(alert));
}

void Notifier::Flush() {
  if (alerts_) alerts_->Flush(kPatience);
  if (otlp_) otlp_->Flush(kPatience);
}

void Notifier::End(const std::string& state, std::uint64_t step, std::uint64_t images) {
  const bool has_diverged = state == "diverged";
  Raise(
      {.event = state,
       .severity = has_diverged ? Severity::kCritical : Severity::kInfo,
       .text = (has_diverged ? "training diverged" : "training " + state) + " after " + storage::Counted(step, "step"),
       .details = {{"step", step}, {"images", images}},
       .is_last = true});
  Flush();
}

void Notifier::Failed(const std::string& why) {
  Raise({.event = "failed", .severity = Severity::kCritical, .text = why, .is_last = true});
  Flush();
}

// Half of a time-out is early enough to react, and late enough to be significant.
void Notifier::Silent(const Silence& silence) {
  const std::string text = "no sign of life for " + std::to_string(static_cast<int>(silence.seconds)) +
                           " s in section " + silence.section +
                           (silence.is_ending ? "; ending this rank" : "; a rank may be stalled or dead");
  Raise({.event = "stalled",
         .severity = Severity::kCritical,
         .text = text,
         .details = {{"section", silence.section}, {"seconds", silence.seconds}},
         .is_last = silence.is_ending});
  // The process ends right after this call, and with it the thread that sends.
  if (silence.is_ending && alerts_) alerts_->Flush(kPatienceWhenHanging);
}

}  // namespace gan::run
