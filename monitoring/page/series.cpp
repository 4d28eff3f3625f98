#include "monitoring/page/series.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <iterator>
#include <limits>
#include <nlohmann/json.hpp>

namespace gan::monitoring {
namespace {

void AppendNumber(std::string& json, double value) {
  char text[32] = "null";
  if (std::isfinite(value)) std::snprintf(text, sizeof text, "%.6g", value);  // enough for any screen
  json += text;
}

// Writes the text directly, because JSON values of long arrays would need much more memory.
template <class Cells, class Value>
void AppendArray(std::string& json, const char* name, const Cells& cells, Value value) {
  json += std::string("\"") + name + "\":[";
  for (std::size_t i = 0; i < cells.size(); ++i) {
    if (i > 0) json += ',';
    AppendNumber(json, cells[i].count == 0 ? std::numeric_limits<double>::quiet_NaN() : value(cells[i]));
  }
  json += ']';
}

}  // namespace

void SeriesTable::Cell::Add(const Cell& other) {
  if (other.count == 0) return;
  least = count == 0 ? other.least : std::min(least, other.least);
  greatest = count == 0 ? other.greatest : std::max(greatest, other.greatest);
  sum += other.sum;
  count += other.count;
}

void SeriesTable::Add(std::uint64_t step, const std::vector<std::pair<std::string_view, double>>& values) {
  OpenBucket(step);
  AddTo(last_steps_.size() - 1, values);
}

void SeriesTable::AddEarlier(std::uint64_t step, const std::vector<std::pair<std::string_view, double>>& values) {
  if (last_steps_.empty()) return;
  // The last bucket is left out of the search: a step beyond all others belongs to it.
  const auto bucket = std::lower_bound(last_steps_.begin(), std::prev(last_steps_.end()), step);
  AddTo(static_cast<std::size_t>(bucket - last_steps_.begin()), values);
}

void SeriesTable::AddTo(std::size_t bucket, const std::vector<std::pair<std::string_view, double>>& values) {
  for (const auto& [name, value] : values) {
    // Written so that NaN fails as well. A value beyond float would become infinite, for which JSON has no number.
    constexpr double kMost = std::numeric_limits<float>::max();
    if (!(std::abs(value) <= kMost)) continue;
    auto found = columns_.find(name);
    if (found == columns_.end()) {
      if (columns_.size() == kMostColumns) continue;
      // A column that appears later has empty cells for the buckets before.
      found = columns_.emplace(std::string(name), Column(last_steps_.size())).first;
    }
    const auto number = static_cast<float>(value);
    found->second[bucket].Add({number, number, number, 1});
  }
}

// Opens a new bucket when the last one is full.
void SeriesTable::OpenBucket(std::uint64_t step) {
  if (!last_steps_.empty() && rows_in_last_ < width_) {
    last_steps_.back() = step;
    ++rows_in_last_;
    return;
  }
  if (last_steps_.size() == kMostBuckets) MergePairs();
  last_steps_.push_back(step);
  for (auto& [name, column] : columns_) column.emplace_back();
  rows_in_last_ = 1;
}

// Halves the number of buckets by merging neighbours. Each bucket then covers twice as many rows. A cell keeps the sum
// and the count, so its mean stays exact, and the extremes, so a spike of one step stays visible.
void SeriesTable::MergePairs() {
  const std::size_t half = last_steps_.size() / 2;
  for (std::size_t i = 0; i < half; ++i) last_steps_[i] = last_steps_[2 * i + 1];
  last_steps_.resize(half);
  for (auto& [name, column] : columns_) {
    for (std::size_t i = 0; i < half; ++i) {
      Cell merged = column[2 * i];
      merged.Add(column[2 * i + 1]);
      column[i] = merged;
    }
    column.resize(half);
  }
  width_ *= 2;
}

void SeriesTable::AppendColumn(std::string& json, const Column& column) const {
  json += '{';
  AppendArray(json, "mean", column, [](const Cell& cell) { return static_cast<double>(cell.sum) / cell.count; });
  // With one row per bucket, minimum and maximum equal the mean and are left out.
  if (width_ > 1) {
    json += ',';
    AppendArray(json, "min", column, [](const Cell& cell) { return static_cast<double>(cell.least); });
    json += ',';
    AppendArray(json, "max", column, [](const Cell& cell) { return static_cast<double>(cell.greatest); });
  }
  json += '}';
}

// Names come from a file, so they are escaped by the JSON library.
std::string SeriesTable::JsonText() const {
  std::string json = "{\"width\":" + std::to_string(width_) + ",\"x\":[";
  for (std::size_t i = 0; i < last_steps_.size(); ++i) json += (i > 0 ? "," : "") + std::to_string(last_steps_[i]);
  json += "],\"series\":{";
  bool first = true;
  for (const auto& [name, column] : columns_) {
    if (!first) json += ',';
    first = false;
    json += nlohmann::json(name).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + ':';
    AppendColumn(json, column);
  }
  return json + "}}";
}

}  // namespace gan::monitoring
