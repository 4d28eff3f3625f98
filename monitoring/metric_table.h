// The only list of metric names. A test compares dashboards, alert rules and docs/monitoring.md with this table.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

namespace gan::monitoring {

enum class Metric {
  kLoss,                   // {network}
  kDiscriminatorAccuracy,  // {input}
  kDiscriminatorAuc,
  kDiscriminatorOutputMean,  // {input}
  kLossImbalance,
  kBalanceState,  // {state}: 1 for the current verdict, 0 for the others
  kGradientNorm,  // {network}
  kLearningRate,  // {network}
  kSampleDiversity,
  kSampleDiversityReference,
  kCollapseForetold,
  kClasses,  // {state}: the number of classes of a conditional run in this state
  kQuality,  // {measure}
  kPenalty,
  kAugmentProbability,
  kInterventions,  // {action}
  kNonfinite,      // {network}
  kSkippedSteps,   // {network}
  kSteps,          // {network}
  kImages,
  kLastStepTimestamp,
  kStepDuration,  // {phase}
  kWorldSize,
  kCommWait,
  kCommBytes,
  kDataWait,
  kCorruptRecords,
  kCheckpointDuration,
  kCheckpointLastSuccess,
  kCheckpointBytes,
  kCheckpointFailures,
  kLaunchRestarts,
  kPreprocessImages,  // {result}
  kBuildInfo,         // {version} and the build facts of MetricsOptions
  kProcessCpu,        // the process_ metrics are read from the kernel at every scrape
  kProcessResidentMemory,
  kProcessOpenFds,
  kProcessStartTime,
};

enum class MetricType { kGauge, kCounter, kHistogram };  // used with Set, Add and Observe, in this order

enum class Scope {
  kJob,   // the same on all ranks (all-reduced): exported by rank 0 alone
  kRank,  // local: exported by every rank with the label `rank`
};

struct MetricRow {
  Metric metric;
  std::string_view name;
  MetricType type;
  std::string_view unit;  // "1" for counts and ratios
  Scope scope;
  std::string_view label;                          // empty: the metric has no label
  std::span<const std::string_view> label_values;  // all values of the label; each is exported from the start
  std::span<const double> buckets;                 // upper bounds in `unit`, histograms only
  std::string_view help;
};

// The rows in the order of the enumerators: Table()[i].metric == Metric(i).
std::span<const MetricRow> Table();
const MetricRow& Row(Metric metric);
std::string_view Name(MetricType type);  // "gauge", "counter", "histogram"

}  // namespace gan::monitoring
