#include "trainer/run/options.h"

#include <set>
#include <string_view>

#include "cli/duration.h"
#include "storage/counted.h"
#include "storage/errors.h"
#include "trainer/run/balance_flags.h"
#include "trainer/run/flags.h"
#include "trainer/run/length_flags.h"
#include "trainer/run/machine_flags.h"
#include "trainer/run/objective_flags.h"

namespace gan::run {

namespace {

using enum OnResume;

constexpr cli::Choice<std::string_view> kCorruptRecords[] = {
    cli::Word("stop", "end with exit code 3"), cli::Word("replace", "count it and train on the next intact record")};
constexpr cli::Choice<data::ClassSampling> kClassSamplings[] = {
    {data::ClassSampling::kData, "data", "each class as often as among the training images"},
    {data::ClassSampling::kUniform, "uniform", "all classes equally often"}};
constexpr cli::Choice<step::Decay> kDecays[] = {{step::Decay::kNone, "none", "constant learning rates"},
                                                {step::Decay::kLinear, "linear", "a straight line to 0"},
                                                {step::Decay::kCosine, "cosine", "half a cosine wave to 0"}};
constexpr cli::Choice<step::Precision> kPrecisions[] = {
    {step::Precision::kFp32, "fp32", "single precision; on GPUs convolutions use TF32"},
    {step::Precision::kBf16, "bf16", "matrix products and convolutions in bfloat16, weights in single precision"},
    {step::Precision::kFp64, "fp64", "double precision, to check results"}};

// The functions Add…Flags declare one group of --help each. OnResume determines whether a resumed run may change a
// flag.
void AddDataFlags(Flags& flags, TrainOptions& o) {
  flags.Group("Data and run folder");
  // A resumed run compares the data set's digest, not its path.
  flags.Add(kMayChange, "--shards", o.shards, "Shard folder that gan-preprocess wrote.")->required()->type_name("DIR");
  auto* root = flags.Add(kMayChange, "--out", o.run_root, "Folder in which a new, numbered run folder is created.");
  root->type_name("DIR");
  flags.Add(kMayChange, "--run", o.run, "Run folder. It is created when absent; otherwise its run is continued.")
      ->type_name("DIR")
      ->excludes(root);
  flags
      .Add(kMayChange, "--resume", o.resume,
           "Checkpoint to continue from.\n"
           "auto: the newest intact checkpoint of the run folder.\n"
           "none: begin a new run.\n"
           "PATH: this checkpoint.")
      ->type_name("auto|none|PATH");
  flags
      .Add(kMayChange, "--init-from", o.init_from,
           "Start the networks of a new run from a checkpoint, which may have half the resolution, or from one or two "
           ".safetensors files with PyTorch's parameter names for G, D or both.")
      ->expected(1, 2)
      ->check(CLI::ExistingPath)
      ->type_name("PATH");
  flags.Add(kFixed, "--holdout", o.holdout, "Fraction of the images kept out of training, at most 2,000 images.")
      ->check(CLI::Range(0.0, 0.5));
  flags.AddSwitch(kFixed, "--flip", o.flip, "Mirror images horizontally at random.");
  flags.RareGroup("data");
  flags.AddChoice(kMayChange, "--corrupt-records", o.corrupt_records, kCorruptRecords,
                  "Treatment of a record with a wrong checksum.");
}

// Fixed except for D's width, which can be changed without changing what D computes.
void AddModelFlags(Flags& flags, TrainOptions& o) {
  flags.Group("Networks (G: generator, D: discriminator)");
  flags.Add(kFixed, "--resolution", o.gan.network.resolution, "Width and height of the images: 64, 128 or 256 pixels.");
  flags.Add(kFixed, "--features", o.gan.network.features,
            "Number of feature maps in the last hidden layer of G and the first layer of D at 128 pixels.");
  flags.Add(kFixed, "--noise-dim", o.gan.network.noise_dim, "Dimension of the latent vector.");
  flags.AddSwitch(kFixed, "--conditional", o.conditional,
                  "Train G and D on the labels of the images as well, so that gan-generate can make a given class.");
  flags.AddSwitch(kFixed, "--sync-bn", o.gan.sync_batch_norm, "Synchronise batch norm over all ranks.");
  flags.Add(kFixed, "--ema", o.gan.ema_half_life_images,
            "Half-life, in images, of the moving average of G's weights. 0 keeps no average.");
  flags.RareGroup("networks");
  flags.AddChoice(kFixed, "--class-sampling", o.class_sampling, kClassSamplings,
                  "How often --conditional generates each class.");
  flags.Add(kFixed, "--features-d", o.gan.network.d_features, "The same as --features for D alone. 0 uses --features.");
  flags
      .Add(kMayChange, "--widen-d", o.gan.network.d_width,
           "Multiply the channels of D by N. The D of a resumed run is widened if it is narrower.")
      ->check(CLI::Range(1, 64));
}

// Rates and labels may change, so that a user can intervene in a run; Adam's betas may not.
void AddOptimizerFlags(Flags& flags, TrainOptions& o) {
  flags.Group("Optimisation");
  // --batch may change, because it only divides the global batch, which determines the training.
  flags.Add(kMayChange, "--batch", o.batch, "Images per rank and micro-batch.")->check(CLI::Range(1, 65536));
  flags.Add(kFixed, "--global-batch", o.global_batch,
            "Images per update over all ranks, kept when the number of ranks changes. 0 means --batch times ranks.");
  flags
      .Add(kMayChange, "--lr-g", o.lr_g,
           "Learning rate of G's Adam optimiser at the start. --balance act raises a low one.")
      ->check(CLI::PositiveNumber);
  flags
      .Add(kMayChange, "--lr-d", o.lr_d,
           "Learning rate of D's Adam optimiser at the start. --balance act raises a low one.")
      ->check(CLI::PositiveNumber);
  flags.Add(kFixed, "--beta1", o.gan.adam.beta1, "First beta of Adam. --balance act keeps it at 0.5 or below.")
      ->check(CLI::Range(0.0, 0.9999));
  flags.Add(kFixed, "--beta2", o.gan.adam.beta2, "Second beta of Adam.")->check(CLI::Range(0.0, 0.999999));
  flags.AddChoice(kFixed, "--lr-decay", o.schedule.decay, kDecays, "How both learning rates fall over the run.");
  flags.Add(kMayChange, "--real-label", o.real_label, "Target of D for real images.")->check(CLI::Range(0.5, 1.0));
  flags
      .Add(kMayChange, "--fake-label", o.fake_label,
           "Target of D for generated images. 0 makes the label smoothing one-sided.")
      ->check(CLI::Range(0.0, 0.5));
  flags.AddChoice(kFixed, "--precision", o.gan.precision, kPrecisions, "Floating-point precision.");
  flags.Add(kFixed, "--seed", o.seed, "Random seed.");
  flags.RareGroup("optimisation");
  flags.Add(kFixed, "--clip-norm", o.gan.clip_norm, "Maximum gradient norm of each network. 0 disables clipping.")
      ->check(CLI::NonNegativeNumber);
  flags.Add(kFixed, "--warmup-steps", o.schedule.warmup_steps,
            "Number of steps in which both learning rates rise linearly from 0.");
  flags.Add(kFixed, "--d-steps", o.d_steps, "Updates of D per step, before the balance changes them.")
      ->check(CLI::Range(1, 100));
}

// Output does not affect training, so all of it may change.
void AddOutputFlags(Flags& flags, TrainOptions& o) {
  flags.Group("Output (intervals in steps; 0: only at the end)");
  flags.Add(kMayChange, "--log-every", o.log_every, "Interval between lines of stats.jsonl.");
  flags.Add(kMayChange, "--sample-every", o.sample_every, "Interval between grids of generated images.");
  flags.Add(kMayChange, "--checkpoint-every", o.checkpoint_every, "Interval between checkpoints.");
  flags.Add(kMayChange, "--keep", o.keep.last, "Number of newest checkpoints to keep.")->check(CLI::Range(2, 1000000));
  flags.AddSwitch(kMayChange, "--tensorboard", o.tensorboard, "Write TensorBoard event files as well.");
  flags.RareGroup("output");
  flags.AddSwitch(kMayChange, "--mark", o.mark, "Write into each grid of generated images that it is generated.");
  flags.Add(kMayChange, "--keep-every", o.keep.every,
            "Also keep every checkpoint whose step is a multiple of N. 0 keeps none of them.");
  flags.Add(kMayChange, "--check-every", o.check_every,
            "Interval, in steps, at which the ranks compare their weights bit for bit.");
}

// The names of the options that a resumed run may change, and of other values that may differ.
std::set<std::string> Changeable() {
  CLI::App app;
  Flags flags(app);
  TrainOptions options;
  AddTrainFlags(flags, options);
  std::set<std::string> names = flags.may_change();
  // A run may continue with another number of ranks, and the balance may have widened D.
  names.insert({"world_size", "d_width"});
  return names;
}

}  // namespace

// The order of the groups in --help.
void AddTrainFlags(Flags& flags, TrainOptions& options) {
  AddPresetFlags(flags, options);
  AddDataFlags(flags, options);
  AddLengthFlags(flags, options);
  AddModelFlags(flags, options);
  AddOptimizerFlags(flags, options);
  AddObjectiveFlags(flags, options);
  AddBalanceFlags(flags, options);
  AddQualityFlags(flags, options);
  AddOutputFlags(flags, options);
  AddMachineFlags(flags, options);
  AddMetricsFlags(flags, options);
  AddPushFlags(flags, options);
  AddTimeoutFlags(flags, options);
}

void AddTrainFlags(CLI::App& app, TrainOptions& options) {
  Flags flags(app);
  AddTrainFlags(flags, options);
}

// The flags write through references, so they get a copy of the options.
nlohmann::json ToJson(const TrainOptions& options) {
  CLI::App app;
  Flags flags(app);
  TrainOptions copy = options;
  AddTrainFlags(flags, copy);
  return flags.ToJson();
}

void Validate(const TrainOptions& options, int world_size) {
  if (options.expect_world_size != 0 && options.expect_world_size != static_cast<std::uint64_t>(world_size)) {
    throw UsageError("this job has " + storage::Counted(world_size, "rank") + ", --expect-world-size says " +
                     std::to_string(options.expect_world_size) +
                     "; start it with mpirun -np N or srun --mpi=pmix (plain srun starts N jobs of one rank)");
  }
  model::Validate(options.gan.network);
  if (!options.conditional && options.class_sampling != data::ClassSampling::kData) {
    throw UsageError("--class-sampling: needs --conditional");
  }
  if (options.cuda_graphs && options.gan.gradients.path == distributed::SyncPath::kBucketed) {
    throw UsageError("--cuda-graphs auto: needs --gradient-sync flat or auto");
  }
  ValidateObjective(options);
  ResolveBalance(options);
  // These values may come from the resumed run, whose flags were not parsed.
  cli::MetricsPort(options.metrics_port);
  if (!options.time.empty()) cli::ParseDuration(options.time);
  if (options.json && !options.dry_run) throw UsageError("--json: needs --dry-run");
  if (!options.measure && !options.dry_run) throw UsageError("--no-measure: needs --dry-run");
}

// The global batch has priority over --batch, because it determines the result of training.
BatchPlan PlanBatches(std::uint64_t batch, std::uint64_t global_batch, int world_size) {
  const auto ranks = static_cast<std::uint64_t>(world_size);
  // Without a global batch there is nothing to keep constant, so every update has one micro-batch.
  if (global_batch == 0) return {batch, 1};
  if (global_batch % ranks != 0) {
    throw UsageError("a global batch of " + storage::Counted(global_batch, "image") + " cannot be shared evenly by " +
                     std::to_string(ranks) + " ranks; start a number of ranks that divides it");
  }
  // Each rank processes the same number of images; if they exceed --batch, gradients are accumulated.
  const std::uint64_t per_rank = global_batch / ranks;
  if (per_rank <= batch) return {per_rank, 1};
  if (per_rank % batch != 0) {
    throw UsageError("--batch " + std::to_string(batch) + ": each of " + std::to_string(ranks) + " ranks has " +
                     storage::Counted(per_rank, "image") + " of the global batch of " + std::to_string(global_batch) +
                     "; --batch must divide that");
  }
  return {batch, static_cast<std::uint32_t>(per_rank / batch)};
}

BatchPlan PlanBatches(const TrainOptions& options, int world_size) {
  const bool keeps = options.global_batch == 0 && options.before;
  return PlanBatches(options.batch, keeps ? options.before->global_batch : options.global_batch, world_size);
}

void RequireResumable(const nlohmann::json& saved, const nlohmann::json& now, const std::filesystem::path& checkpoint) {
  // An older checkpoint lacks newer flags; its run was trained as if they had their default values.
  const nlohmann::json defaults = ToJson(TrainOptions());
  // Every difference is collected, so that the user can correct all of them at once.
  const std::set<std::string> changeable = Changeable();
  std::string differences;
  for (const auto& [name, value] : now.items()) {
    const auto before = saved.find(name);
    const bool same = before != saved.end() ? *before == value : defaults.value(name, nlohmann::json()) == value;
    if (changeable.contains(name) || same) continue;
    differences += (differences.empty() ? "" : ", ") + name + " (" +
                   (before == saved.end() ? "absent" : before->dump()) + " then, " + value.dump() + " now)";
  }
  if (differences.empty()) return;
  std::string allowed;
  for (const std::string& name : changeable) allowed += (allowed.empty() ? "" : ", ") + name;
  throw UsageError("cannot resume " + checkpoint.string() + ": " + differences + ". These may change: " + allowed +
                   ". To start a new run, choose another --run, or use --resume none with an empty folder");
}

}  // namespace gan::run
