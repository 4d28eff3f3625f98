#include "monitoring/page/runs_table.h"

#include <algorithm>
#include <utility>

#include "monitoring/page/run_files.h"
#include "storage/folder_name.h"

namespace gan::monitoring {

namespace fs = std::filesystem;
using Json = nlohmann::json;

namespace {

constexpr std::uint64_t kBytesAtOnce = std::uint64_t{1} << 20;

// Invalid UTF-8 from files is replaced, because JSON must be valid for the page.
std::string Dump(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

// The names of the options in which the runs differ. An option that a run does not have differs from one that it has.
std::set<std::string> Differing(const std::vector<Json>& settings) {
  std::set<std::string> names, differing;
  for (const Json& one : settings) {
    for (const auto& [name, value] : one.items()) names.insert(name);
  }
  for (const std::string& name : names) {
    if (UntoldSettings().contains(name)) continue;
    const Json first = settings.front().value(name, Json());
    const bool same = std::all_of(settings.begin(), settings.end(),
                                  [&](const Json& one) { return one.value(name, Json()) == first; });
    if (!same) differing.insert(name);
  }
  return differing;
}

std::vector<std::string> Names(const std::set<std::string>& names) { return {names.begin(), names.end()}; }

}  // namespace

const std::set<std::string>& UntoldSettings() {
  static const std::set<std::string> kNames = {"run",
                                               "out",
                                               "resume",
                                               "metrics_port",
                                               "init_from",
                                               "dry_run",
                                               "json",
                                               "expect_world_size",
                                               "metrics_password_file"};
  return kNames;
}

bool IsRunFolder(const fs::path& folder) {
  std::error_code error;
  if (fs::symlink_status(folder, error).type() != fs::file_type::directory) return false;
  return fs::exists(folder / "options.json", error) || fs::exists(folder / "checkpoints", error);
}

bool HasRunFolders(const fs::path& root) {
  std::error_code error;
  const fs::directory_iterator entries(root, error);
  return std::any_of(begin(entries), end(entries), [](const auto& entry) { return IsRunFolder(entry.path()); });
}

RunsTable::RunsTable(fs::path root) : root_(std::move(root)) {}

void RunsTable::Refresh() {
  std::set<std::string> names;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(root_, error)) {
    if (IsRunFolder(entry.path())) names.insert(entry.path().filename().string());
  }
  {
    const std::lock_guard lock(mutex_);
    std::erase_if(runs_, [&](const auto& run) { return !names.contains(run.first); });
    left_out_ = 0;
    for (const std::string& name : names) {
      if (runs_.contains(name)) continue;
      if (runs_.size() >= kMostRuns) {
        ++left_out_;
      } else {
        runs_[name] = std::make_shared<RunSummary>(root_ / name);
      }
    }
  }
  // Outside the lock: a slow file system must delay neither requests nor other runs.
  for (const auto& run : All()) run->RefreshFacts();
}

bool RunsTable::ReadMore() {
  bool complete = true;
  for (const auto& run : All()) complete &= run->ReadMore(kBytesAtOnce);
  return complete;
}

// Shared pointers, so that a run that vanishes meanwhile can be read to the end.
RunsTable::Summaries RunsTable::All() const {
  const std::lock_guard lock(mutex_);
  Summaries all;
  all.reserve(runs_.size());
  for (const auto& [name, run] : runs_) all.push_back(run);
  return all;
}

std::vector<Json> RunsTable::Rows() const {
  const Summaries all = All();
  std::vector<Json> settings, rows;
  settings.reserve(all.size());
  rows.reserve(all.size());
  for (const auto& run : all) settings.push_back(run->Settings());
  if (all.empty()) return rows;
  const std::set<std::string> differing = Differing(settings);
  const double now = UnixSecondsNow();
  for (std::size_t i = 0; i < all.size(); ++i) {
    Json row = all[i]->Row(now);
    row["settings"] = Json::object();
    for (const std::string& name : differing) {
      if (settings[i].contains(name)) row["settings"][name] = settings[i][name];
    }
    rows.push_back(std::move(row));
  }
  return rows;
}

std::string RunsTable::JsonText() const {
  std::vector<Json> rows = Rows();
  std::set<std::string> settings, measures, curves, lower;
  std::uint64_t done = 0, total = 0;
  for (const auto& run : All()) {
    const auto [read, size] = run->Progress();
    done += read;
    total += size;
    // The page offers the curves of all runs; runs without a curve have a gap there.
    for (std::string& name : run->CurveNames()) curves.insert(std::move(name));
  }
  for (const Json& row : rows) {
    for (const auto& [name, value] : row["settings"].items()) settings.insert(name);
    for (const auto& [name, value] : row["best"].items()) measures.insert(name);
  }
  std::copy_if(measures.begin(), measures.end(), std::inserter(lower, lower.end()),
               [](const std::string& name) { return BetterOf(name) == Better::kLower; });
  std::size_t left_out = 0;
  {
    const std::lock_guard lock(mutex_);
    left_out = left_out_;
  }
  return Dump({{"root", storage::NameOfFolder(root_)},
               {"now", UnixSecondsNow()},
               {"read_ratio", total == 0 ? 1.0 : static_cast<double>(done) / static_cast<double>(total)},
               {"settings", Names(settings)},
               {"measures", Names(measures)},
               {"lower_is_better", Names(lower)},
               {"curves", Names(curves)},
               {"runs", std::move(rows)},
               {"left_out", left_out}});
}

std::string RunsTable::CurveText(const std::string& curve) const {
  Json runs = Json::object();
  for (const auto& run : All()) {
    if (Json points = run->Curve(curve); !points.is_null())
      runs[storage::NameOfFolder(run->folder())] = std::move(points);
  }
  return Dump({{"name", curve}, {"runs", std::move(runs)}});
}

fs::path RunsTable::FolderOf(const std::string& name) const {
  const std::lock_guard lock(mutex_);
  const auto found = runs_.find(name);
  return found == runs_.end() ? fs::path() : found->second->folder();
}

}  // namespace gan::monitoring
