#include "monitoring/page/run_stats.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "monitoring/page/quality_keys.h"
#include "storage/parse_json.h"

namespace gan::monitoring {
using Json = nlohmann::json;

namespace {

constexpr double kNoValue = std::numeric_limits<double>::quiet_NaN();

// Removes the older half at once, so that a full list does not move all elements for each new one.
template <class Event>
void Keep(std::vector<Event>& events, Event event, std::size_t most) {
  if (events.size() == most) events.erase(events.begin(), events.begin() + static_cast<std::ptrdiff_t>(most / 2));
  events.push_back(std::move(event));
}

}  // namespace

bool RunStats::Update(std::uint64_t most_bytes) {
  if (file_.IsReplaced()) Forget();
  return file_.Read(most_bytes, [this](std::string_view line) { ReadLine(line); });
}

void RunStats::Forget() {
  // The reader is already at the beginning of the new file. Only the results from the old one are dropped.
  GrowingLines file = std::move(file_);
  *this = RunStats(file.path());
  file_ = std::move(file);
}

// Steps must ascend: a line of an older step belongs to a branch that a rollback has discarded.
void RunStats::ReadLine(std::string_view line) {
  const Json record = Json::parse(line, nullptr, /*allow_exceptions=*/false);
  const auto step = record.is_object() ? record.find("step") : record.end();
  if (!record.is_object() || step == record.end() || !step->is_number_unsigned() ||
      (lines_ > 0 && step->get<std::uint64_t>() <= last_step_)) {
    ++bad_lines_;
    return;
  }
  ++lines_;
  last_step_ = step->get<std::uint64_t>();
  last_line_ = line;
  const std::uint64_t measured_step = MeasuredStep(record, last_step_);
  std::vector<std::pair<std::string_view, double>> values, measures;
  for (const auto& [name, value] : record.items()) {
    if (name == "step" || SaysWhatWasMeasured(name)) continue;
    auto& into = name.starts_with(kQuality) ? measures : values;
    if (value.is_number()) into.emplace_back(name, value.get<double>());
    if (value.is_boolean()) into.emplace_back(name, value.get<bool>() ? 1 : 0);
    // JSON has no NaN, so the trainer writes null for a number that is not finite or was not measured.
    if (value.is_null()) into.emplace_back(name, kNoValue);
  }
  table_.Add(last_step_, values);
  table_.AddEarlier(measured_step, measures);
  AddVerdict(last_step_, record);
  AddActions(last_step_, record);
  AddNonfinite(last_step_, record);
  KeepQualityByClass(measured_step, record);
  KeepCopies(measured_step, record);
}

// Only changes are kept, so that memory does not grow with the run.
void RunStats::AddVerdict(std::uint64_t step, const Json& line) {
  const auto verdict = line.find("verdict");
  if (verdict == line.end() || !verdict->is_string()) return;
  const auto& name = verdict->get_ref<const std::string&>();
  if (verdicts_.empty() || verdicts_.back().second != name) verdicts_.emplace_back(step, name);
}

// Counts are exact; the list of steps keeps the newest only.
void RunStats::AddActions(std::uint64_t step, const Json& line) {
  const auto actions = line.find("actions");
  if (actions == line.end() || !actions->is_array()) return;
  for (const Json& action : *actions) {
    if (!action.is_string()) continue;
    const auto& name = action.get_ref<const std::string&>();
    Keep(actions_, {step, name}, kMostEvents);
    // The number of different names is bounded, because a damaged file could contain arbitrary ones.
    if (action_counts_.size() < kMostEvents || action_counts_.count(name) > 0) ++action_counts_[name];
  }
}

// Losses are measured in every step, so null means that they were not finite.
void RunStats::AddNonfinite(std::uint64_t step, const Json& line) {
  const auto is_null = [&](const char* name) { return line.contains(name) && line.at(name).is_null(); };
  if (!is_null("loss_d") && !is_null("loss_g")) return;
  Keep(nonfinite_, step, kMostEvents);
  ++nonfinite_count_;
}

// gan-train writes it for at most 32 classes, so a larger object is not from gan-train.
void RunStats::KeepQualityByClass(std::uint64_t step, const Json& line) {
  constexpr std::size_t kMostClasses = 32;
  const auto quality = line.find("quality_by_class");
  if (quality == line.end() || !quality->is_object() || quality->empty() || quality->size() > kMostClasses) return;
  std::string text = Json{step, *quality}.dump(-1, ' ', false, Json::error_handler_t::replace);
  if (storage::IsModestJson(text)) quality_by_class_ = std::move(text);
}

// Keeps the newest measurement separately, because a bucket of the table may average it with others.
void RunStats::KeepCopies(std::uint64_t step, const Json& line) {
  Json kept = Json::array({step});
  for (const char* name : {"quality_copies", "quality_copies_floor", "quality_copies_told"}) {
    const auto value = line.find(name);
    if (value == line.end() || !value->is_number()) return;
    kept.push_back(value->get<double>());
  }
  copies_ = kept.dump();
}

// Verdicts that lasted too briefly to be visible are left out when there are more than kMostEvents.
Json RunStats::Verdicts() const {
  const std::uint64_t shortest = verdicts_.size() > kMostEvents ? last_step_ / kMostEvents : 0;
  Json shown = Json::array();
  for (std::size_t i = 0; i < verdicts_.size(); ++i) {
    const std::uint64_t end = i + 1 < verdicts_.size() ? verdicts_[i + 1].first : last_step_ + 1;
    if (end - verdicts_[i].first >= shortest || i + 1 == verdicts_.size()) shown.push_back(verdicts_[i]);
  }
  return shown;
}

// Invalid UTF-8 from the file is replaced, because JSON must be valid for the page.
std::string RunStats::JsonText() const {
  using nlohmann::json;
  const json facts = {{"lines", lines_},
                      {"bad_lines", bad_lines_ + file_.skipped()},
                      {"read_ratio", file_.read_ratio()},
                      {"last", storage::IsModestJson(last_line_) ? json::parse(last_line_) : json()},
                      {"verdicts", Verdicts()},
                      {"actions", actions_},
                      {"action_counts", action_counts_},
                      {"nonfinite", nonfinite_},
                      {"nonfinite_count", nonfinite_count_}};
  std::string text = facts.dump(-1, ' ', false, json::error_handler_t::replace);
  text.back() = ',';  // the table is appended as text, which avoids parsing it again
  return text + "\"quality_by_class\":" + quality_by_class_ + ",\"copies\":" + copies_ +
         ",\"table\":" + table_.JsonText() + "}";
}

}  // namespace gan::monitoring
