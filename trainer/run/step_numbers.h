// The table of the numbers of a step. A row defines the meaning of a number, how it is reduced over the ranks, and
// where it is published. The all-reduce, stats.jsonl, TensorBoard and the metrics are generated from the rows. A test
// compares the table in docs/monitoring.md with them.
#pragma once

#include <optional>
#include <span>
#include <string_view>

#include "monitoring/metrics.h"
#include "trainer/run/step_record.h"

namespace gan::run {

// The measurements of one rank in a step. The spans point into `result` and are valid as long as it.
struct RankMeasurements {
  const step::StepResult& result;
  std::span<const double> real_logits, fake_logits;
  double auc_augmented, auc;
};

struct StepNumber {
  std::string_view name;  // key in stats.jsonl and tag in TensorBoard; empty: in neither
  std::string_view unit;
  std::string_view meaning;
  // For numbers that every rank measures: the mean of `of_rank` over the ranks becomes `member`, or without one the
  // value of `name` in Observation::others.
  double Observation::*member = nullptr;
  double (*of_rank)(const RankMeasurements&) = nullptr;
  // Used for all other numbers, and for those that are missing in some steps. Null: the value is the mean over the
  // ranks.
  std::optional<double> (*of_record)(const StepRecord&) = nullptr;
  std::optional<monitoring::Metric> metric = {};
  std::string_view label = {};  // value of the metric's label
};

// All numbers, in the order of the documentation.
std::span<const StepNumber> StepNumbers();

// The value of the number in this step. Empty when it was not measured.
std::optional<double> ValueOf(const StepNumber& number, const StepRecord& record);

}  // namespace gan::run
