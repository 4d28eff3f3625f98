// The table of a step's numbers. One row says what a number means, how it comes together from the ranks, and where it
// is published. The all-reduce, stats.jsonl, TensorBoard and the metrics follow from the rows; a test holds the table
// in docs/monitoring.md against them.
#pragma once

#include <optional>
#include <span>
#include <string_view>

#include "monitoring/metrics.h"
#include "trainer/run/step_record.h"

namespace gan::run {

// What one rank measured in a step. The spans point into `result` and live as long as it.
struct RankMeasurements {
  const step::StepResult& result;
  std::span<const double> real_logits, fake_logits;
  double auc_augmented, auc;
};

struct StepNumber {
  std::string_view name;  // key in stats.jsonl and tag in TensorBoard; empty: published in neither
  std::string_view unit;
  std::string_view meaning;
  // Numbers that every rank measures: the mean over the ranks of `of_rank` becomes `member`.
  double Observation::*member = nullptr;
  double (*of_rank)(const RankMeasurements&) = nullptr;
  // All others, and those that are absent from some steps; null: `member` is the value.
  std::optional<double> (*of_record)(const StepRecord&) = nullptr;
  std::optional<monitoring::Metric> metric = {};
  std::string_view label = {};  // value of the metric's label
};

// All numbers, in the order in which the documents list them.
std::span<const StepNumber> StepNumbers();

// The number in this step; absent when it was not measured.
std::optional<double> ValueOf(const StepNumber& number, const StepRecord& record);

}  // namespace gan::run
