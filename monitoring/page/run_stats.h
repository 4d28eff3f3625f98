// A run's stats.jsonl as it grows.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "monitoring/page/series.h"

namespace gan::monitoring {

// Reads only what was appended since the last time, and starts again when the file was cut or replaced, as a resumed
// run does. A last line without an end is left for later; a line that is no JSON object with a step is counted and
// passed over. Memory does not grow with the run but for the changes of verdict. Not thread-safe.
class RunStats {
 public:
  explicit RunStats(std::filesystem::path file) : file_(std::move(file)) {}

  // Reads at most about `most_bytes` more; false when there is more to read. A file that is not there yet is empty.
  bool Update(std::uint64_t most_bytes = std::uint64_t{32} << 20);
  // {"lines":…,"bad_lines":…,"read_ratio":1,"last":{the last line},"table":{SeriesTable},
  //  "verdicts":[[first step,"balanced"],…],"actions":[[step,"lower_d_rate"],…],"action_counts":{…},
  //  "nonfinite":[step,…],"nonfinite_count":…}
  std::string JsonText() const;

 private:
  static constexpr std::size_t kMostEvents = 1000;  // newest actions and non-finite steps kept by step

  void StartAgainIfReplaced();
  void ReadLines(std::string_view text);
  void ReadLine(std::string_view line);
  void AddVerdict(std::uint64_t step, const nlohmann::json& line);
  void AddActions(std::uint64_t step, const nlohmann::json& line);
  void AddNonfinite(std::uint64_t step, const nlohmann::json& line);
  nlohmann::json Verdicts() const;

  std::filesystem::path file_;
  std::uint64_t inode_ = 0;
  std::uint64_t offset_ = 0;  // of the first byte not taken in
  std::string tail_;          // what stands just before `offset_`
  std::uint64_t size_ = 0;    // of the file when looked at last
  std::uint64_t lines_ = 0, bad_lines_ = 0;
  std::uint64_t last_step_ = 0;
  std::string last_line_;
  SeriesTable table_;
  std::vector<std::pair<std::uint64_t, std::string>> verdicts_;  // step from which each is in force
  std::vector<std::pair<std::uint64_t, std::string>> actions_;
  std::map<std::string, std::uint64_t> action_counts_;
  std::vector<std::uint64_t> nonfinite_;
  std::uint64_t nonfinite_count_ = 0;
};

}  // namespace gan::monitoring
