// Curves over steps in bounded memory, with as many points as a screen can show for a run of any length.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace gan::monitoring {

// Columns of numbers with one row per logged step. Each bucket combines `width()` rows into their mean, minimum and
// maximum. The width doubles whenever there would be more than kMostBuckets buckets, so memory does not grow with the
// run. A run of at most kMostBuckets rows is kept exactly. Not thread-safe.
class SeriesTable {
 public:
  static constexpr std::size_t kMostBuckets = 1000;  // must be even
  static constexpr std::size_t kMostColumns = 64;    // further columns are dropped

  // A value that is not a finite float counts as absent. Steps must ascend.
  void Add(std::uint64_t step, const std::vector<std::pair<std::string_view, double>>& values);
  // Adds values of an earlier step. They go into the bucket that contains the step, or into the first one after it.
  void AddEarlier(std::uint64_t step, const std::vector<std::pair<std::string_view, double>>& values);
  std::uint64_t width() const { return width_; }  // rows per bucket
  // {"width":1,"x":[1,2],"series":{"loss_d":{"mean":[..],"min":[..],"max":[..]}}} with null where there is no value;
  // x is the last step of each bucket; min and max are left out while they equal the mean.
  std::string JsonText() const;

 private:
  struct Cell {
    float sum = 0, least = 0, greatest = 0;
    std::uint32_t count = 0;
    void Add(const Cell& other);
  };
  using Column = std::vector<Cell>;  // one cell per bucket

  void OpenBucket(std::uint64_t step);
  void AddTo(std::size_t bucket, const std::vector<std::pair<std::string_view, double>>& values);
  void MergePairs();
  void AppendColumn(std::string& json, const Column& column) const;

  std::vector<std::uint64_t> last_steps_;  // of each bucket
  std::map<std::string, Column, std::less<>> columns_;
  std::uint64_t width_ = 1;
  std::uint64_t rows_in_last_ = 0;
};

}  // namespace gan::monitoring
