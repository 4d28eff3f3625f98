// The row of one run in a table of many runs, in bounded memory.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "monitoring/page/growing_lines.h"

namespace gan::monitoring {

// Reads a run folder step by step and writes nothing. Missing or damaged files are shown as absent. Curves keep some of
// the steps, because a table of hundreds of runs cannot parse every line; quality measurements are all read, so that
// the best one is exact. Thread-safe.
class RunSummary {
 public:
  static constexpr std::size_t kMostPoints = 256;  // points of a curve; must be even

  explicit RunSummary(const std::filesystem::path& folder);

  // Reads the small files and the list of grids again if they have changed.
  void RefreshFacts();
  // Reads at most about `most_bytes` more of stats.jsonl. Returns false when there is more to read.
  bool ReadMore(std::uint64_t most_bytes);

  // {"name":…,"state":…,"why":…,"step":…,"images":…,"fraction_done":…,"seconds_left":…,"started":unix seconds,
  //  "updated":unix seconds,"verdict":…,"best":{"quality_swd":[value,step],…},"last":{"d_auc":…},
  //  "grids":[[step,images],…],"reals":bool}. `now`: unix seconds, to recognise a run that has become silent.
  nlohmann::json Row(double now) const;
  nlohmann::json Settings() const;  // the options of options.json, an object
  std::vector<std::string> CurveNames() const;
  // {"steps":[…],"images":[…],"values":[…]}; null when the run has no such curve.
  nlohmann::json Curve(const std::string& name) const;
  std::pair<std::uint64_t, std::uint64_t> Progress() const;  // bytes of stats.jsonl: read, and in total
  const std::filesystem::path& folder() const { return folder_; }

 private:
  struct Point {
    std::uint64_t step = 0, images = 0;
    float value = 0;
  };
  struct CurveOf {
    std::vector<Point> points;
    std::uint64_t every = 1;  // one value out of this many is kept
    std::uint64_t seen = 0;
    double last = 0;  // the newest value, which may lie between two points
    void Add(const Point& point);
  };
  // Everything that is read from stats.jsonl. It is reset when the file was replaced.
  struct FromStats {
    std::uint64_t lines = 0;
    std::uint64_t last_step = 0, last_images = 0;
    std::string verdict;
    std::string last_line;
    std::map<std::string, CurveOf> curves;
    std::map<std::string, std::pair<double, std::uint64_t>> best;  // by measure: the value and its step
  };
  struct Files {
    std::int64_t status = -1, options = -1, launch = -1, folder = -1;  // times of change when they were last read
  };

  void TakeLine(std::string_view line);
  void TakeNumbers(const nlohmann::json& record, bool is_sample);
  void TakeBest(const std::string& name, double value, std::uint64_t step);
  std::string State(double now) const;
  double Updated() const;
  std::uint64_t ImagesAt(std::uint64_t step) const;
  void RefreshGrids();

  const std::filesystem::path folder_;
  mutable std::mutex mutex_;  // guards all members below
  GrowingLines lines_;
  FromStats stats_;
  Files read_;
  nlohmann::json status_, options_, launch_;
  double started_ = 0;
  double stats_written_ = 0;
  std::vector<std::uint64_t> grids_;
  bool has_reals_ = false;
};

// Whether a smaller or a larger value of a quality measure is better; kNeither for other numbers.
enum class Better { kLower, kHigher, kNeither };
Better BetterOf(std::string_view measure);

}  // namespace gan::monitoring
