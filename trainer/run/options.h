// Training options: one struct per owning layer.
#pragma once

#include <cstdint>
#include <filesystem>
#include <limits>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "checkpoint/checkpoint.h"
#include "trainer/balance/balance.h"
#include "trainer/data/classes.h"
#include "trainer/run/watchdog.h"
#include "trainer/step/gan_options.h"
#include "trainer/step/learning_rate.h"

namespace gan::run {

class Flags;

// The source of the options that the user does not give (preset.h).
enum class Preset : std::uint8_t { kNone, kAuto, kPaper };

// A value that a preset or --time gave to an option, and the reason in words.
struct Chosen {
  std::string name;  // in the spelling of ToJson
  nlohmann::json value;
  std::string why;
};

// The progress of the run in the checkpoint from which it resumes.
struct RunBefore {
  std::uint64_t step = 0;
  std::uint64_t images = 0;
  std::uint64_t global_batch = 0;
};

struct TrainOptions {
  // The value of quality_every that leaves the choice to the program.
  static constexpr std::uint64_t kAutomatic = std::numeric_limits<std::uint64_t>::max();

  Preset preset = Preset::kNone;

  // Data and place
  std::filesystem::path shards;
  std::filesystem::path run_root = "runs";       // a new numbered folder is created in it
  std::filesystem::path run;                     // use exactly this folder; empty: use run_root
  std::string resume = "auto";                   // auto, none or a checkpoint
  std::string corrupt_records = "stop";          // or "replace": use the next intact record and count it
  std::vector<std::filesystem::path> init_from;  // checkpoints or weights that a new run starts from
  double holdout = 0.05;                         // fraction of the records that is never trained on
  bool flip = false;
  bool conditional = false;  // the networks also get the labels of the images
  data::ClassSampling class_sampling = data::ClassSampling::kData;

  // Length of the run in total, so that a resumed run ends where the uninterrupted one would have. At most one is not
  // 0; when all are 0, 100 epochs.
  std::uint64_t steps = 0;
  std::uint64_t images = 0;
  double epochs = 0;
  std::string time;  // what `steps` was computed from (settle.h), in the form of cli::ParseDuration; usually empty

  // Networks and mathematics
  step::GanOptions gan;
  std::uint64_t batch = 16;        // images per rank and micro-batch
  std::uint64_t global_batch = 0;  // images per update, over all ranks and micro-batches; 0: batch x ranks
  step::LearningRateSchedule schedule;
  double lr_g = 2e-4;
  double lr_d = 2e-4;
  double real_label = 0.9;
  double fake_label = 0.1;
  std::uint64_t seed = 1;

  balance::BalanceOptions balance;  // the mode; ResolveBalance computes the rest from the next two members
  std::string balance_actions = std::string(balance::kDefaultActionGroups);
  std::vector<std::string> balance_set;  // "name=value"
  std::uint64_t d_steps = 1;             // updates of D per step, unless the balance changes the number
  std::string inject;                    // faults for tests of the balance (faults.h)

  // Output, in steps (0: only at the end)
  std::uint64_t log_every = 1;
  std::uint64_t sample_every = 500;
  std::uint64_t checkpoint_every = 1000;
  std::uint64_t check_every = 100;           // interval of comparing the replicas bit for bit
  std::uint64_t quality_every = kAutomatic;  // 0: never; kAutomatic: until the run starts (settle.h)
  std::uint64_t quality_images = 512;        // maximum of each kind, limited by the size of the holdout
  std::filesystem::path inception;           // TorchScript for FID and KID
  std::string keep_best = "swd";             // the measure that selects the best checkpoint, which is never removed
  std::string stop_when = "length";          // or "best": when keep_best has not improved for `patience` images
  std::uint64_t patience = 0;                // 0: as BestOfRun chooses
  checkpoint::Retention keep;
  bool mark = true;          // grids of generated images say that they are generated
  bool tensorboard = false;  // event files beside stats.jsonl

  // Machine
  std::string device = "auto";
  bool cuda_graphs = false;  // whether steps on a GPU are recorded and repeated (device.h decides)
  int threads = 0;           // 0: an equal share of this host's cores per rank
  bool deterministic = false;
  bool dry_run = false;
  bool json = false;                    // of --dry-run
  bool measure = true;                  // whether --dry-run measures the time of a step
  std::uint64_t expect_world_size = 0;  // 0: any
  std::string metrics_port = "9400";    // a port, 0 for any free one, or off (cli::MetricsPort)
  std::string metrics_address = "127.0.0.1";
  std::string metrics_password_file;                        // one line "user:password"; empty: no password is required
  std::string alert_webhook, alert_command, otlp_endpoint;  // secret; read by monitoring/push
  std::uint64_t comm_timeout_seconds = 600;
  WatchdogOptions watchdog;

  // How the values were set, by the names that ToJson uses. These members are not flags.
  std::set<std::string> given;        // set by the user, on the command line or in a configuration file
  std::vector<std::string> from_run;  // "--name value": taken from the resumed run
  std::optional<RunBefore> before;    // set in a run that resumes
  std::vector<Chosen> chosen;         // chosen at the start of this run
};

// Declares every flag of gan-train on `app`. Parsing sets `options`, which must outlive it.
void AddTrainFlags(CLI::App& app, TrainOptions& options);
void AddTrainFlags(Flags& flags, TrainOptions& options);

// Checks flags against each other and the number of ranks. Throws UsageError.
void Validate(const TrainOptions& options, int world_size);

// The options of the balance, with --balance-set and --balance-actions applied. Throws UsageError.
balance::BalanceOptions ResolveBalance(const TrainOptions& options);

// The size of a rank's micro-batch and the number of micro-batches per update.
struct BatchPlan {
  std::uint64_t batch = 0;
  std::uint32_t micro_batches = 1;
};
// global_batch: from the flag or a checkpoint (0: batch x ranks). The micro-batch becomes smaller when ranks x batch
// would exceed the global batch. Throws UsageError when the ranks cannot share the global batch evenly.
BatchPlan PlanBatches(std::uint64_t batch, std::uint64_t global_batch, int world_size);
// The micro-batches of a run with these options. A run that resumes keeps its global batch.
BatchPlan PlanBatches(const TrainOptions& options, int world_size);

nlohmann::json ToJson(const TrainOptions& options);

// Throws UsageError when a checkpoint and this run differ in options that must not change. The error lists these
// options, and those that may change. `saved` and `now`: results of ToJson with "world_size" and "dataset_digest"
// added.
void RequireResumable(const nlohmann::json& saved, const nlohmann::json& now, const std::filesystem::path& checkpoint);

}  // namespace gan::run
