// Reads a run's stats.jsonl while it grows.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "monitoring/page/growing_lines.h"
#include "monitoring/page/series.h"

namespace gan::monitoring {

// Each call reads only what was appended since the last one. When the file was truncated or replaced, as by a resumed
// run, reading starts from the beginning. An incomplete last line is read later. A line that is not a JSON object with
// a step is counted and skipped. Memory grows only with the number of verdict changes, not with the length of the run.
// Not thread-safe.
class RunStats {
 public:
  explicit RunStats(std::filesystem::path file) : file_(std::move(file)) {}

  // Reads at most about `most_bytes` more. Returns false when there is more to read. A missing file counts as empty.
  bool Update(std::uint64_t most_bytes = std::uint64_t{32} << 20);
  // {"lines":…,"bad_lines":…,"read_ratio":1,"last":{the last line},"table":{SeriesTable},
  //  "quality_by_class":[step,{…}] or null, "copies":[step,rate,rate of held-out images,told] or null,
  //  "verdicts":[[first step,"balanced"],…],"actions":[[step,"lower_d_rate"],…],"action_counts":{…},
  //  "nonfinite":[step,…],"nonfinite_count":…}
  std::string JsonText() const;

 private:
  static constexpr std::size_t kMostEvents =
      1000;  // newest actions and non-finite steps that are listed with their step

  void Forget();
  void ReadLine(std::string_view line);
  void AddVerdict(std::uint64_t step, const nlohmann::json& line);
  void AddActions(std::uint64_t step, const nlohmann::json& line);
  void AddNonfinite(std::uint64_t step, const nlohmann::json& line);
  void KeepQualityByClass(std::uint64_t step, const nlohmann::json& line);
  void KeepCopies(std::uint64_t step, const nlohmann::json& line);
  nlohmann::json Verdicts() const;

  GrowingLines file_;
  std::uint64_t lines_ = 0, bad_lines_ = 0;
  std::uint64_t last_step_ = 0;
  std::string last_line_;
  std::string quality_by_class_ = "null";  // JSON; few lines have it
  std::string copies_ = "null";            // JSON; few lines have it
  SeriesTable table_;
  std::vector<std::pair<std::uint64_t, std::string>> verdicts_;  // first step of each verdict, and its name
  std::vector<std::pair<std::uint64_t, std::string>> actions_;
  std::map<std::string, std::uint64_t> action_counts_;
  std::vector<std::uint64_t> nonfinite_;
  std::uint64_t nonfinite_count_ = 0;
};

}  // namespace gan::monitoring
