// All runs in one folder, as the page of runs and `gan-inspect list` show them.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "monitoring/page/run_summary.h"

namespace gan::monitoring {

// Whether `folder` looks like the folder of a run, judged by names alone.
bool IsRunFolder(const std::filesystem::path& folder);
// Whether any folder directly below `root` looks like the folder of a run.
bool HasRunFolders(const std::filesystem::path& root);

// Runs are the folders directly below `root`; links are not followed. Memory grows with the number of runs, of which at
// most kMostRuns are read, and not with their length. Thread-safe.
class RunsTable {
 public:
  static constexpr std::size_t kMostRuns = 5000;

  explicit RunsTable(std::filesystem::path root);

  // Looks for new and vanished runs, and reads the small files that have changed.
  void Refresh();
  // Continues reading every stats.jsonl. Returns false when there is more to read. Each call reads at most about a
  // megabyte of each run, so that the page shows progress for all of them.
  bool ReadMore();

  // One object per run, in the order of their names: RunSummary::Row() with "settings", an object of those options in
  // which the runs differ.
  std::vector<nlohmann::json> Rows() const;
  // {"root":…,"now":…,"read_ratio":…,"settings":[names],"measures":[names],"lower_is_better":[names],"curves":[names],
  //  "runs":[Rows()],"left_out":number of runs beyond kMostRuns}
  std::string JsonText() const;
  // {"name":…,"runs":{run:{"steps":[…],"images":[…],"values":[…]}}}. `curve` may come from a client.
  std::string CurveText(const std::string& curve) const;
  // The folder of a run of this table; empty when there is none. `name` may come from a client.
  std::filesystem::path FolderOf(const std::string& name) const;

 private:
  using Summaries = std::vector<std::shared_ptr<RunSummary>>;
  Summaries All() const;

  const std::filesystem::path root_;
  mutable std::mutex mutex_;  // guards all members below; never held while a run is read
  std::map<std::string, std::shared_ptr<RunSummary>> runs_;
  std::size_t left_out_ = 0;
};

// The options that naturally differ between any two runs, or have no influence on the result. The table leaves them
// out.
const std::set<std::string>& UntoldSettings();

}  // namespace gan::monitoring
