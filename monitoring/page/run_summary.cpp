#include "monitoring/page/run_summary.h"

#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>

#include "monitoring/page/quality_keys.h"
#include "monitoring/page/run_files.h"
#include "storage/folder_name.h"

namespace gan::monitoring {

namespace fs = std::filesystem;
using Json = nlohmann::json;

namespace {

// The numbers of every step that can be drawn. Other numbers of a line are not kept.
constexpr std::array<std::string_view, 10> kStepCurves = {
    "d_auc",           "loss_d",          "loss_g",      "imbalance",   "diversity",
    "d_accuracy_real", "d_accuracy_fake", "grad_norm_d", "grad_norm_g", "images_per_second"};
constexpr std::size_t kMostMeasures = 16;  // a damaged file could name any number of measures
constexpr std::size_t kMostGrids = 200;
constexpr double kSilentSeconds = 120;  // as on the page of a run

constexpr std::array<std::pair<std::string_view, Better>, 7> kBetter = {{{"quality_swd", Better::kLower},
                                                                         {"quality_frechet", Better::kLower},
                                                                         {"quality_kernel", Better::kLower},
                                                                         {"quality_fid", Better::kLower},
                                                                         {"quality_kid", Better::kLower},
                                                                         {"quality_density", Better::kHigher},
                                                                         {"quality_coverage", Better::kHigher}}};

// Nanoseconds; 0 when nothing is there.
std::int64_t TimeOfChange(const fs::path& path) {
  struct stat found {};
  if (::lstat(path.c_str(), &found) != 0) return 0;
  return std::int64_t{found.st_mtim.tv_sec} * 1'000'000'000 + found.st_mtim.tv_nsec;
}

// Replaces `value` when the file has changed since `read`.
void ReadIfChanged(const fs::path& path, std::int64_t& read, Json& value) {
  const std::int64_t now = TimeOfChange(path);
  if (now == read) return;
  value = ReadRunJson(path);
  if (!value.is_object()) value = Json::object();
  read = now;
}

// Another process writes the files, which may contain anything, so a member of another type counts as absent.
double Number(const Json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_number() ? found->get<double>() : std::nan("");
}

std::string Text(const Json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

std::uint64_t Count(const Json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_number_unsigned() ? found->get<std::uint64_t>() : 0;
}

// memmem, because a search for the quotation mark would stop seventy times in each line.
bool MentionsQuality(std::string_view line) {
  return ::memmem(line.data(), line.size(), kQuality.data(), kQuality.size()) != nullptr;
}

Json Finite(double value) { return std::isfinite(value) ? Json(value) : Json(); }

}  // namespace

Better BetterOf(std::string_view measure) {
  for (const auto& [name, better] : kBetter) {
    if (name == measure) return better;
  }
  return Better::kNeither;
}

// Halves the number of points whenever it would become too large, so that a curve of any length fits.
void RunSummary::CurveOf::Add(const Point& point) {
  if (seen++ % every != 0) return;
  if (points.size() == kMostPoints) {
    for (std::size_t i = 0; i < kMostPoints / 2; ++i) points[i] = points[2 * i];
    points.resize(kMostPoints / 2);
    every *= 2;
    // The point that did not fit is kept only if it belongs to the new, wider grid.
    if ((seen - 1) % every != 0) return;
  }
  points.push_back(point);
}

RunSummary::RunSummary(const fs::path& folder) : folder_(folder), lines_(folder / "stats.jsonl") {}

void RunSummary::RefreshFacts() {
  const std::lock_guard lock(mutex_);
  ReadIfChanged(folder_ / "status.json", read_.status, status_);
  ReadIfChanged(folder_ / "launch.json", read_.launch, launch_);
  ReadIfChanged(folder_ / "options.json", read_.options, options_);
  started_ = 1e-9 * static_cast<double>(read_.options);
  stats_written_ = 1e-9 * static_cast<double>(TimeOfChange(lines_.path()));
  if (const std::int64_t now = TimeOfChange(folder_); now != read_.folder) {
    RefreshGrids();
    read_.folder = now;
  }
}

void RunSummary::RefreshGrids() {
  grids_ = Spread(StepsOfGrids(folder_), kMostGrids);
  has_reals_ = IsPlainFile(folder_ / kRealsName);
}

bool RunSummary::ReadMore(std::uint64_t most_bytes) {
  const std::lock_guard lock(mutex_);
  if (lines_.IsReplaced()) stats_ = FromStats();
  const bool complete = lines_.Read(most_bytes, [this](std::string_view line) { TakeLine(line); });
  // The newest values are those of the last line, which is rarely one of the samples.
  if (!stats_.last_line.empty()) {
    const Json record = Json::parse(stats_.last_line, nullptr, /*allow_exceptions=*/false);
    if (record.is_object()) TakeNumbers(record, /*is_sample=*/false);
  }
  return complete;
}

// Parsing costs a hundred times as much as finding the end of a line, so most lines are only counted. The distance
// between samples follows from the size of the file: about as many as a curve keeps.
void RunSummary::TakeLine(std::string_view line) {
  stats_.last_line = line;
  const std::uint64_t expected = lines_.size() / std::max<std::uint64_t>(line.size(), 1);
  std::uint64_t every = 1;
  // A power of two, as in CurveOf::Add: while the file grows, the lines that were chosen before stay multiples of the
  // new distance.
  while (expected / every > kMostPoints) every *= 2;
  const bool is_sample = stats_.lines++ % every == 0;
  if (!is_sample && !MentionsQuality(line)) return;
  const Json record = Json::parse(line, nullptr, /*allow_exceptions=*/false);
  if (record.is_object()) TakeNumbers(record, is_sample);
}

void RunSummary::TakeNumbers(const Json& record, bool is_sample) {
  const std::uint64_t step = Count(record, "step"), images = Count(record, "images");
  if (step < stats_.last_step) return;  // a line of a branch that a rollback has discarded
  // ReadMore() passes the last line again for its newest values. That must not add a second point.
  const bool is_known = step == stats_.last_step;
  stats_.last_step = step;
  stats_.last_images = images;
  if (const std::string verdict = Text(record, "verdict"); !verdict.empty()) stats_.verdict = verdict;
  const Point now = {step, images, 0};
  const std::uint64_t measured_images = Count(record, kQualityImages.data());
  const Point measured = {MeasuredStep(record, step), measured_images > 0 ? measured_images : images, 0};
  for (const auto& [name, value] : record.items()) {
    if (!value.is_number()) continue;
    const auto number = value.get<double>();
    if (SaysWhatWasMeasured(name)) continue;
    const bool is_quality = name.starts_with(kQuality);
    const bool is_curve = std::find(kStepCurves.begin(), kStepCurves.end(), name) != kStepCurves.end();
    if (!is_curve && !is_quality) continue;
    if (!stats_.curves.contains(name) && stats_.curves.size() >= kStepCurves.size() + kMostMeasures) continue;
    if (is_quality) TakeBest(name, number, measured.step);
    CurveOf& curve = stats_.curves[name];
    curve.last = number;
    const Point& at = is_quality ? measured : now;
    if (!is_known && (is_quality || is_sample)) curve.Add({at.step, at.images, static_cast<float>(number)});
  }
}

void RunSummary::TakeBest(const std::string& name, double value, std::uint64_t step) {
  const Better better = BetterOf(name);
  if (better == Better::kNeither || !std::isfinite(value)) return;
  const auto found = stats_.best.find(name);
  const bool is_best = found == stats_.best.end() ||
                       (better == Better::kLower ? value < found->second.first : value > found->second.first);
  if (is_best) stats_.best[name] = {value, step};
}

// Steps and images grow together, so images between two known steps are interpolated.
std::uint64_t RunSummary::ImagesAt(std::uint64_t step) const {
  // Any number that occurs in every line would do.
  const auto curve = stats_.curves.find("loss_d");
  Point before, after{stats_.last_step, stats_.last_images, 0};
  if (curve != stats_.curves.end()) {
    for (const Point& point : curve->second.points) {
      if (point.step <= step) before = point;
      if (point.step >= step) {
        after = point;
        break;
      }
    }
  }
  if (after.step <= before.step) return before.images;
  const double part = static_cast<double>(step - before.step) / static_cast<double>(after.step - before.step);
  return before.images + static_cast<std::uint64_t>(std::llround(
                             part * (static_cast<double>(after.images) - static_cast<double>(before.images))));
}

double RunSummary::Updated() const {
  const double status = Number(status_, "unix_seconds");
  return std::max(std::isfinite(status) ? status : 0.0, stats_written_);
}

// gan-launch knows more about a run that it has given up than the run itself.
std::string RunSummary::State(double now) const {
  const std::string said = Text(status_, "state");
  std::string launched = Text(launch_, "state");
  // With a tolerance of one second: launch.json has whole seconds, status.json has fractions. If one of the times is
  // missing, launch.json counts as newer, because a comparison with NaN is false.
  const bool is_newer = !(Number(launch_, "unix_seconds") + 1 < Number(status_, "unix_seconds"));
  if ((launched == "failed" || launched == "restarting") && is_newer) return launched;
  if (said == "running" && now - Updated() > kSilentSeconds) return "silent";
  return said.empty() ? (stats_written_ > 0 && now - Updated() <= kSilentSeconds ? "running" : "unknown") : said;
}

Json RunSummary::Row(double now) const {
  const std::lock_guard lock(mutex_);
  const std::string state = State(now);
  const bool has_failed = state == "failed" || state == "restarting";
  Json grids = Json::array();
  for (const std::uint64_t step : grids_) grids.push_back({step, ImagesAt(step)});
  Json last = Json::object(), best = Json::object();
  for (const auto& [name, curve] : stats_.curves) {
    last[name] = Finite(curve.last);
  }
  for (const auto& [name, found] : stats_.best) best[name] = {found.first, found.second};
  return {{"name", storage::NameOfFolder(folder_)},
          {"state", state},
          {"why", has_failed ? Text(launch_, "why") : std::string()},
          {"step", std::max(stats_.last_step, Count(status_, "step"))},
          {"images", std::max(stats_.last_images, Count(status_, "images"))},
          {"fraction_done", Finite(Number(status_, "fraction_done"))},
          {"seconds_left", state == "running" ? Finite(Number(status_, "seconds_left")) : Json()},
          {"started", started_ > 0 ? Json(started_) : Json()},
          {"updated", Updated() > 0 ? Json(Updated()) : Json()},
          {"verdict", stats_.verdict},
          {"best", std::move(best)},
          {"last", std::move(last)},
          {"grids", std::move(grids)},
          {"reals", has_reals_}};
}

Json RunSummary::Settings() const {
  const std::lock_guard lock(mutex_);
  const auto found = options_.find("options");
  return found != options_.end() && found->is_object() ? *found : Json::object();
}

std::vector<std::string> RunSummary::CurveNames() const {
  const std::lock_guard lock(mutex_);
  std::vector<std::string> names;
  names.reserve(stats_.curves.size());
  for (const auto& [name, curve] : stats_.curves) names.push_back(name);
  return names;
}

Json RunSummary::Curve(const std::string& name) const {
  const std::lock_guard lock(mutex_);
  const auto found = stats_.curves.find(name);
  if (found == stats_.curves.end()) return nullptr;
  Json steps = Json::array(), images = Json::array(), values = Json::array();
  for (const Point& point : found->second.points) {
    steps.push_back(point.step);
    images.push_back(point.images);
    values.push_back(Finite(static_cast<double>(point.value)));
  }
  return {{"steps", std::move(steps)}, {"images", std::move(images)}, {"values", std::move(values)}};
}

std::pair<std::uint64_t, std::uint64_t> RunSummary::Progress() const {
  const std::lock_guard lock(mutex_);
  return {lines_.offset(), lines_.size()};
}

}  // namespace gan::monitoring
