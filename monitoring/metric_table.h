// The only list of metrics. A new metric is an enumerator and a row of kTable. A test compares dashboards, alert rules
// and docs/monitoring.md with this table.
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
  std::string_view label;  // empty: the metric has no label
  // All values of the label; each is exported from the start. Empty for kInterventions: MetricsOptions has them.
  std::span<const std::string_view> label_values;
  std::span<const double> buckets;  // upper bounds in `unit`, histograms only
  std::string_view help;
};

// The rows and their parts. Other files use Table() and Row().
namespace table {

using enum MetricType;
using enum Scope;

// The values of labels. Each is exported from the start, so that a query finds the series before its first event.
inline constexpr std::string_view kNetworks[] = {"discriminator", "generator"};
inline constexpr std::string_view kInputs[] = {"real", "fake"};
inline constexpr std::string_view kStates[] = {"balanced", "discriminator_ahead", "generator_ahead", "mode_collapse",
                                               "diverged"};
inline constexpr std::string_view kMeasures[] = {
    "swd",       "ms_ssim",       "density",        "coverage", "frechet",      "kernel",   "fid",        "kid",
    "swd_floor", "frechet_floor", "coverage_floor", "copies",   "copies_floor", "copies_p", "copies_told"};
inline constexpr std::string_view kClassStates[] = {"collapsed", "separated"};
// "accepted", or the reason why gan-preprocess rejected an input.
inline constexpr std::string_view kResults[] = {"accepted", "unreadable", "not_a_picture", "unsupported", "truncated",
                                                "corrupt",  "too_large",  "too_small",     "cropped",     "duplicate"};
inline constexpr std::string_view kPhases[] = {"data", "discriminator", "generator", "sync", "checkpoint", "total"};
// A step takes milliseconds on a GPU and seconds on a few CPU cores.
inline constexpr double kStepSeconds[] = {0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25,
                                          0.5,   1,      2.5,   5,    10,    25,   60};

// Two lines per row; clang-format would make nine of them.
// clang-format off
inline constexpr MetricRow kTable[] = {
  {Metric::kLoss, "gan_train_loss", kGauge, "1", kJob, "network", kNetworks, {},
   "Loss of the last step, mean over all ranks."},
  {Metric::kDiscriminatorAccuracy, "gan_train_discriminator_accuracy_ratio", kGauge, "ratio", kJob, "input", kInputs,
   {}, "Fraction of the real or fake images that the discriminator classified correctly in the last step."},
  {Metric::kDiscriminatorAuc, "gan_train_discriminator_auc_ratio", kGauge, "ratio", kJob, "", {}, {},
   "Probability that the discriminator scores a real image above a fake one: 0.5 is guessing, 1 is perfect."},
  {Metric::kDiscriminatorOutputMean, "gan_train_discriminator_output_mean", kGauge, "1", kJob, "input", kInputs, {},
   "Mean output of the discriminator after the sigmoid, on real and on fake images."},
  {Metric::kLossImbalance, "gan_train_loss_imbalance_ratio", kGauge, "ratio", kJob, "", {}, {},
   "|L_D/2 - L_G| / (L_D/2 + L_G): 0 when the two losses are equal."},
  {Metric::kBalanceState, "gan_train_balance_state", kGauge, "1", kJob, "state", kStates, {},
   "1 for the current verdict on the balance of the two networks, 0 for the others."},
  {Metric::kGradientNorm, "gan_train_gradient_norm", kGauge, "1", kJob, "network", kNetworks, {},
   "Euclidean norm of the network's synchronised gradient in the last step."},
  {Metric::kLearningRate, "gan_train_learning_rate", kGauge, "1", kJob, "network", kNetworks, {},
   "Current learning rate, including the balance controller's changes."},
  {Metric::kSampleDiversity, "gan_train_sample_diversity", kGauge, "1", kJob, "", {}, {},
   "Mean distance of a generated image to its nearest neighbour in the batch, on 8 x 8 pixels of [-1, 1]."},
  {Metric::kSampleDiversityReference, "gan_train_sample_diversity_reference", kGauge, "1", kJob, "", {}, {},
   "The same measure on real images, for comparison with the sample diversity."},
  {Metric::kCollapseForetold, "gan_train_collapse_foretold", kGauge, "1", kJob, "", {}, {},
   "1 while the balance controller expects a mode collapse, else 0."},
  {Metric::kClasses, "gan_train_classes", kGauge, "1", kJob, "state", kClassStates, {},
   "Number of classes of a conditional run whose generated images have become alike, or that D alone separates perfectly."},
  {Metric::kQuality, "gan_train_quality", kGauge, "1", kJob, "measure", kMeasures, {},
   "Last measured quality of generated images against held-out ones. Higher is better for density and coverage, lower otherwise. "
   "NAME_floor: the value of the training images, copies_floor: of the held-out ones. copies: fraction of the images that are copies of "
   "training images. copies_p: probability of so many by chance. copies_told: 1 when the generator has learnt by heart."},
  {Metric::kPenalty, "gan_train_penalty", kGauge, "1", kJob, "", {}, {},
   "Gradient penalties in the discriminator's loss in the last step, mean over all ranks."},
  {Metric::kAugmentProbability, "gan_train_augment_probability_ratio", kGauge, "ratio", kJob, "", {}, {},
   "Probability of each augmentation of the discriminator's inputs."},
  {Metric::kInterventions, "gan_train_interventions_total", kCounter, "1", kJob, "action", {}, {},
   "Actions of the balance controller. docs/balance.md lists their names."},
  {Metric::kNonfinite, "gan_train_nonfinite_total", kCounter, "1", kJob, "network", kNetworks, {},
   "Steps in which a loss or a gradient was not finite."},
  {Metric::kSkippedSteps, "gan_train_skipped_steps_total", kCounter, "1", kJob, "network", kNetworks, {},
   "Updates that were skipped because the step was not finite."},
  {Metric::kSteps, "gan_train_steps_total", kCounter, "1", kJob, "network", kNetworks, {},
   "Updates of the network since this process started."},
  {Metric::kImages, "gan_train_images_total", kCounter, "1", kJob, "", {}, {},
   "Real images consumed by all ranks since this process started."},
  {Metric::kLastStepTimestamp, "gan_train_last_step_timestamp_seconds", kGauge, "seconds", kRank, "", {}, {},
   "Unix time at which this rank finished its last step."},
  {Metric::kStepDuration, "gan_train_step_duration_seconds", kHistogram, "seconds", kRank, "phase", kPhases,
   kStepSeconds, "Wall time of a training step on this rank, by phase; total covers all of them."},
  {Metric::kWorldSize, "gan_train_world_size", kGauge, "1", kJob, "", {}, {},
   "Number of ranks of the job."},
  {Metric::kCommWait, "gan_comm_wait_seconds_total", kCounter, "seconds", kRank, "", {}, {},
   "Time that this rank spent in MPI collectives. Collectives on GPUs overlap with the backward and are not included."},
  {Metric::kCommBytes, "gan_comm_bytes_total", kCounter, "bytes", kRank, "", {}, {},
   "Bytes that this rank has sent through collectives."},
  {Metric::kDataWait, "gan_data_wait_seconds_total", kCounter, "seconds", kRank, "", {}, {},
   "Time that this rank waited for its next batch."},
  {Metric::kCorruptRecords, "gan_data_corrupt_records_total", kCounter, "1", kRank, "", {}, {},
   "Records with a wrong checksum that this rank has replaced by another record."},
  {Metric::kCheckpointDuration, "gan_checkpoint_duration_seconds", kGauge, "seconds", kJob, "", {}, {},
   "Wall time of the last committed checkpoint, from snapshot to commit."},
  {Metric::kCheckpointLastSuccess, "gan_checkpoint_last_success_timestamp_seconds", kGauge, "seconds", kJob, "", {}, {},
   "Unix time at which the last checkpoint was committed."},
  {Metric::kCheckpointBytes, "gan_checkpoint_bytes", kGauge, "bytes", kJob, "", {}, {},
   "Size of the last committed checkpoint, all parts together."},
  {Metric::kCheckpointFailures, "gan_checkpoint_failures_total", kCounter, "1", kJob, "", {}, {},
   "Checkpoints that could not be committed."},
  {Metric::kLaunchRestarts, "gan_launch_restarts", kGauge, "1", kJob, "", {}, {},
   "Number of restarts of this job by gan-launch; 0 without gan-launch."},
  {Metric::kPreprocessImages, "gan_preprocess_images_total", kCounter, "1", kRank, "result", kResults, {},
   "Inputs that this rank of gan-preprocess has processed: accepted, or the reason for rejection."},
  {Metric::kBuildInfo, "gan_build_info", kGauge, "1", kRank, "", {}, {},
   "Always 1; the labels describe the build."},
  {Metric::kProcessCpu, "process_cpu_seconds_total", kCounter, "seconds", kRank, "", {}, {},
   "User and system CPU time of this rank's process."},
  {Metric::kProcessResidentMemory, "process_resident_memory_bytes", kGauge, "bytes", kRank, "", {}, {},
   "Resident memory of this rank's process."},
  {Metric::kProcessOpenFds, "process_open_fds", kGauge, "1", kRank, "", {}, {},
   "File descriptors that this rank's process has open."},
  {Metric::kProcessStartTime, "process_start_time_seconds", kGauge, "seconds", kRank, "", {}, {},
   "Unix time at which this rank's process started its metrics."},
};
// clang-format on

// Row() uses the enumerator as an index, so an added metric must have its row at the same position.
constexpr bool RowsAreInOrder() {
  for (std::size_t i = 0; i < std::size(kTable); ++i) {
    if (kTable[i].metric != static_cast<Metric>(i)) return false;
  }
  return std::size(kTable) == static_cast<std::size_t>(Metric::kProcessStartTime) + 1;
}
static_assert(RowsAreInOrder());

}  // namespace table

// The rows in the order of the enumerators: Table()[i].metric == Metric(i).
constexpr std::span<const MetricRow> Table() { return table::kTable; }
constexpr const MetricRow& Row(Metric metric) { return table::kTable[static_cast<std::size_t>(metric)]; }
// "gauge", "counter", "histogram"
constexpr std::string_view Name(MetricType type) {
  switch (type) {
    case MetricType::kGauge:
      return "gauge";
    case MetricType::kCounter:
      return "counter";
    case MetricType::kHistogram:
      return "histogram";
  }
  return "";
}

}  // namespace gan::monitoring
