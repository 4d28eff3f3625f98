// The only home of metric names. Dashboards, alert rules and docs/monitoring.md are held against this table by a test.
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
  kBalanceState,  // {state}: 1 for the verdict in force, 0 for the others
  kGradientNorm,  // {network}
  kLearningRate,  // {network}
  kSampleDiversity,
  kSampleDiversityReference,
  kCollapseForetold,
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
  kProcessCpu,        // the process_ ones are read from the kernel at every scrape
  kProcessResidentMemory,
  kProcessOpenFds,
  kProcessStartTime,
};

enum class MetricType { kGauge, kCounter, kHistogram };  // what Set, Add and Observe are for, in this order

enum class Scope {
  kJob,   // the same on all ranks (all-reduced): exported by rank 0 alone
  kRank,  // local: exported by every rank, with the label `rank`
};

struct MetricRow {
  Metric metric;
  std::string_view name;
  MetricType type;
  std::string_view unit;  // "1" for counts and ratios
  Scope scope;
  std::string_view label;                          // empty: no label of its own
  std::span<const std::string_view> label_values;  // all of them; each is exported from the start
  std::span<const double> buckets;                 // upper bounds in `unit`, histograms only
  std::string_view help;
};

// In the order of the enumerators, so that Table()[i].metric == Metric(i).
std::span<const MetricRow> Table();
const MetricRow& Row(Metric metric);
std::string_view Name(MetricType type);  // "gauge", "counter", "histogram"

}  // namespace gan::monitoring
