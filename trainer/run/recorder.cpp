#include "trainer/run/recorder.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <optional>

#include "cli/log.h"
#include "cli/main.h"
#include "cli/progress.h"
#include "monitoring/page/quality_keys.h"
#include "storage/errors.h"
#include "storage/files.h"
#include "trainer/run/json_number.h"
#include "trainer/run/step_numbers.h"

namespace gan::run {

namespace {

using monitoring::Metric;
using Seconds = std::chrono::duration<double>;

constexpr Seconds kLogInterval{10.0};

// gan-launch passes the number in the environment; without gan-launch it is 0.
double RestartsByLauncher() {
  const char* restarts = std::getenv(cli::kRestartsVariable);
  return restarts == nullptr ? 0 : std::strtod(restarts, nullptr);
}

// The member of a line of quality.jsonl by which a resumed run finds the lines that it will write again.
constexpr const char* kEffectiveStep = "effective_step";

// Adds the measures under the names that both files use.
void AddMeasures(const Measurement& measured, nlohmann::json& line) {
  for (const auto& [name, value] : measured.values) line["quality_" + name] = JsonNumber(value);
  if (!measured.by_class.empty()) line["quality_by_class"] = measured.by_class;
}

double UnixSeconds() { return Seconds(std::chrono::system_clock::now().time_since_epoch()).count(); }

}  // namespace

// The table of numbers has all keys except those that are not numbers of a step.
nlohmann::json ToJson(const StepRecord& record) {
  nlohmann::json actions = nlohmann::json::array();
  for (const balance::Intervention& intervention : record.interventions) actions.push_back(intervention.action);
  nlohmann::json json = {{"step", record.step},
                         {"images", record.images},
                         {"verdict", balance::Name(record.verdict)},
                         {"actions", std::move(actions)}};
  for (const StepNumber& number : StepNumbers()) {
    if (number.name.empty()) continue;
    const std::optional<double> value = ValueOf(number, record);
    json[std::string(number.name)] = value ? JsonNumber(*value) : nlohmann::json();
  }
  json.update(record.classes.is_object() ? record.classes : nlohmann::json::object());
  if (!record.quality) return json;
  json[std::string(monitoring::kQualityStep)] = record.quality->step;
  json[std::string(monitoring::kQualityImages)] = record.quality->images;
  AddMeasures(*record.quality, json);
  return json;
}

nlohmann::json ToJson(const Measurement& measured, std::uint64_t effective_step) {
  nlohmann::json json = {{"step", measured.step}, {"images", measured.images}, {kEffectiveStep, effective_step}};
  AddMeasures(measured, json);
  return json;
}

// StatsFile opens the file but does not change it, so that a run that fails to start leaves it as it was.
Recorder::Recorder(const RunFolder& folder, const TrainOptions& options, const distributed::World& world,
                   monitoring::Metrics& metrics, std::uint64_t first_step, std::uint64_t first_image,
                   std::optional<std::uint64_t> stats_bytes)
    : folder_(folder),
      options_(options),
      is_rank_zero_(world.rank == 0),
      world_size_(world.size),
      metrics_(metrics),
      start_(std::chrono::steady_clock::now()),
      last_log_(start_),
      last_step_(first_step),
      last_images_(first_image) {
  if (is_rank_zero_) stats_ = std::make_shared<StatsFile>(folder.Stats(), first_step, stats_bytes);
  if (is_rank_zero_ && (options.quality_every > 0 || std::filesystem::exists(folder.Quality()))) {
    quality_ = std::make_shared<StatsFile>(folder.Quality(), first_step, std::nullopt, kEffectiveStep);
  }
  if (is_rank_zero_ && options.tensorboard) events_.emplace(folder.path(), first_step + 1);
  metrics_.Set(Metric::kWorldSize, world.size);
  metrics_.Set(Metric::kLaunchRestarts, RestartsByLauncher());
}

// Every rank updates its metrics; only rank 0 writes files.
void Recorder::Step(const StepRecord& record, double fraction_done) {
  SetMetrics(record);
  AddTimes(record);
  last_step_ = record.step;
  last_images_ = record.images;
  if (!is_rank_zero_) return;
  for (const balance::Intervention& done : record.interventions) {
    cli::LogInfo("step " + std::to_string(done.step) + ": " + done.reason);
  }
  for (const std::string& line : record.about_classes) {
    cli::LogWarning("step " + std::to_string(record.step) + ": " + line);
  }
  LogForecast(record);
  if (record.quality) quality_->Append(ToJson(*record.quality, record.step));
  // A measurement would otherwise be missing, because it rarely takes effect in a step that is logged.
  if (options_.log_every > 0 && (record.step % options_.log_every == 0 || record.quality)) {
    const nlohmann::json stats = ToJson(record);
    stats_->Append(stats);
    if (events_) events_->Add(record, stats);
  }
  LogStep(record, fraction_done);
}

// Logged only when it changes, since it can last for many steps.
void Recorder::LogForecast(const StepRecord& record) {
  if (record.collapse_foretold == collapse_foretold_) return;
  collapse_foretold_ = record.collapse_foretold;
  const std::string step = "step " + std::to_string(record.step) + ": ";
  if (!collapse_foretold_) return cli::LogInfo(step + "a mode collapse is no longer expected");
  cli::LogWarning(step +
                  "a mode collapse is expected: D distinguishes almost every image, and the generated images stay "
                  "alike; " +
                  (options_.balance.mode == balance::Mode::kAct ? "the balance controller holds D back"
                                                                : "try --balance act or a lower --lr-d"));
}

void Recorder::Picture(const std::string& name, std::uint64_t step, const std::filesystem::path& png) {
  if (events_) events_->AddPicture(name, step, png);
}

// A line every ten seconds at most, and one at the end.
void Recorder::LogStep(const StepRecord& record, double fraction_done) {
  const auto now = std::chrono::steady_clock::now();
  if (!first_fraction_) first_fraction_ = fraction_done;
  fraction_done_ = fraction_done;
  if (now - last_log_ < kLogInterval && fraction_done < 1) return;
  last_log_ = now;
  const double progress = fraction_done - *first_fraction_;
  // Extrapolated from the progress of this process only, because a resumed run may be on another machine.
  if (progress > 0) seconds_left_ = Seconds((now - start_) * ((1 - fraction_done) / progress)).count();
  const std::string left = seconds_left_ ? cli::FormatDuration(Seconds(*seconds_left_)) : std::string("?");
  char line[256];
  std::snprintf(line, sizeof line, "step %llu  %.1f %%  D %.3f  G %.3f  AUC %.3f  %s  %.1f images/s  %s left",
                static_cast<unsigned long long>(record.step), 100 * fraction_done, record.seen.loss_d,
                record.seen.loss_g, record.seen.auc, std::string(balance::Name(record.verdict)).c_str(),
                record.images_per_second, left.c_str());
  cli::LogInfo(line);
  Status("running");
}

// Metrics are set in every step, also when --log-every skips the line.
void Recorder::SetMetrics(const StepRecord& record) {
  for (const StepNumber& number : StepNumbers()) {
    if (!number.metric) continue;
    if (const auto value = ValueOf(number, record)) metrics_.Set(*number.metric, *value, number.label);
  }
  if (record.quality) {
    for (const auto& [name, value] : record.quality->values) metrics_.Set(Metric::kQuality, value, name);
  }
  // Without classes both are 0, so that a dashboard for all runs has an answer.
  metrics_.Set(Metric::kClasses, record.classes_collapsed, "collapsed");
  metrics_.Set(Metric::kClasses, record.classes_separated, "separated");
  for (const balance::Verdict verdict : balance::kVerdicts) {
    metrics_.Set(Metric::kBalanceState, verdict == record.verdict ? 1 : 0, balance::Name(verdict));
  }
  CountUpdates(record);
  for (const balance::Intervention& taken : record.interventions) metrics_.Add(Metric::kInterventions, 1, taken.action);
  metrics_.Add(Metric::kImages, static_cast<double>(record.images - last_images_));
  metrics_.Set(Metric::kLastStepTimestamp, UnixSeconds());
  metrics_.Observe(Metric::kStepDuration, record.local.times.data, "data");
  metrics_.Observe(Metric::kStepDuration, record.local.times.discriminator, "discriminator");
  metrics_.Observe(Metric::kStepDuration, record.local.times.generator, "generator");
  metrics_.Observe(Metric::kStepDuration, record.local.times.sync, "sync");
  metrics_.Observe(Metric::kStepDuration, record.seconds, "total");
}

// An update that was not applied counts as not finite and as skipped.
void Recorder::CountUpdates(const StepRecord& record) {
  const auto count = [&](const std::optional<step::Update>& update, const char* network) {
    if (!update) return;  // the network was not trained in this step
    metrics_.Add(update->applied ? Metric::kSteps : Metric::kNonfinite, 1, network);
    if (!update->applied) metrics_.Add(Metric::kSkippedSteps, 1, network);
  };
  count(record.local.discriminator, "discriminator");
  count(record.local.generator, "generator");
}

// The pause is observed as a phase of the step, because training stood still for it.
void Recorder::Checkpoint(const checkpoint::SaveResult& saved, double pause_seconds) {
  metrics_.Observe(Metric::kStepDuration, pause_seconds, "checkpoint");
  metrics_.Set(Metric::kCheckpointDuration, saved.seconds);
  metrics_.Set(Metric::kCheckpointLastSuccess, UnixSeconds());
  metrics_.Set(Metric::kCheckpointBytes, static_cast<double>(saved.bytes));
  if (!is_rank_zero_) return;
  char cost[96];
  std::snprintf(cost, sizeof cost, " (%.1f MB in %.2f s, training paused for %.3f s)",
                static_cast<double>(saved.bytes) / 1e6, saved.seconds, pause_seconds);
  cli::LogInfo("saved " + saved.folder.string() + cost);
}

void Recorder::CheckpointFailed(const std::string& why) {
  metrics_.Add(Metric::kCheckpointFailures, 1);
  if (is_rank_zero_) cli::LogError(why + "; training continues, and the previous checkpoint stays");
}

// Prometheus counters only grow, so the differences since the last call are added.
void Recorder::Traffic(const distributed::TrafficCounters& traffic, double data_wait_seconds) {
  metrics_.Add(Metric::kCommWait, traffic.wait_seconds - published_traffic_.wait_seconds);
  metrics_.Add(Metric::kCommBytes, static_cast<double>(traffic.bytes - published_traffic_.bytes));
  metrics_.Add(Metric::kDataWait, data_wait_seconds - published_data_wait_);
  published_traffic_ = traffic;
  published_data_wait_ = data_wait_seconds;
}

// Also reports the number so far, because the log shows only the newest record.
void Recorder::CorruptRecords(std::uint64_t count, const std::string& newest) {
  if (count == reported_corrupt_records_) return;
  metrics_.Add(Metric::kCorruptRecords, static_cast<double>(count - reported_corrupt_records_));
  reported_corrupt_records_ = count;
  cli::LogWarning(newest + "; the next intact record is used instead (" + std::to_string(count) + " so far)");
}

void Recorder::AddTimes(const StepRecord& record) {
  times_.data += record.local.times.data;
  times_.discriminator += record.local.times.discriminator;
  times_.generator += record.local.times.generator;
  times_.sync += record.local.times.sync;
  times_total_ += record.seconds;
  times_images_ += record.images - last_images_;
  ++times_steps_;
}

// Means over an interval are steadier than the times of single steps.
std::string Recorder::MyTimes() {
  const auto steps = static_cast<double>(std::max<std::uint64_t>(times_steps_, 1));
  const nlohmann::json mine = {{"data", times_.data / steps},
                               {"discriminator", times_.discriminator / steps},
                               {"generator", times_.generator / steps},
                               {"sync", times_.sync / steps},
                               {"total", times_total_ / steps},
                               {"images_per_second", static_cast<double>(times_images_) / times_total_ / world_size_}};
  times_ = {};
  times_total_ = 0;
  times_steps_ = times_images_ = 0;
  return mine.dump();
}

void Recorder::Ranks(const std::vector<std::string>& times) {
  if (!is_rank_zero_) return;
  ranks_ = nlohmann::json::array();
  for (std::size_t rank = 0; rank < times.size(); ++rank) {
    ranks_.push_back(nlohmann::json::parse(times[rank]));
    ranks_.back()["rank"] = rank;
  }
}

void Recorder::CutStats() {
  for (const auto& file : {stats_, quality_}) {
    if (file) file->Cut();
  }
}

// Shares the files, because a save may outlive the recorder after a rollback.
std::function<void()> Recorder::StatsSync() const {
  return [stats = stats_, quality = quality_] {
    for (const auto& file : {stats, quality}) {
      if (file) file->Sync();
    }
  };
}

void Recorder::Status(const std::string& state, const std::string& ended_by) {
  if (!is_rank_zero_) return;
  nlohmann::json status = {{"state", state},
                           {"step", last_step_},
                           {"images", last_images_},
                           {"fraction_done", fraction_done_},
                           {"seconds_left", seconds_left_ ? JsonNumber(*seconds_left_) : nlohmann::json()},
                           {"ranks", ranks_},
                           {"unix_seconds", UnixSeconds()},
                           {"metrics", metrics_.serving() ? metrics_.address() : ""}};
  if (state == "finished") status["ended_by"] = ended_by;
  try {
    storage::WriteFileAtomically(folder_.Status(), status.dump(2) + "\n");
  } catch (const IoError& error) {
    if (state != "running") throw;  // the final status must be written; one of the frequent updates may fail
    cli::LogWarning(std::string(error.what()) + "; training continues, and status.json is outdated");
  }
}

}  // namespace gan::run
