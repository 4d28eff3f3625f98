#include "trainer/run/options.h"

#include <set>

#include "storage/errors.h"
#include "trainer/run/flags.h"
#include "trainer/run/objective_flags.h"

namespace gan::run {

namespace {

using enum OnResume;

const Names<step::Decay> kDecays = {
    {"none", step::Decay::kNone}, {"linear", step::Decay::kLinear}, {"cosine", step::Decay::kCosine}};
const Names<step::Precision> kPrecisions = {
    {"fp32", step::Precision::kFp32}, {"bf16", step::Precision::kBf16}, {"fp64", step::Precision::kFp64}};
const Names<distributed::SyncPath> kSyncPaths = {{"auto", distributed::SyncPath::kAuto},
                                                 {"flat", distributed::SyncPath::kFlat},
                                                 {"bucketed", distributed::SyncPath::kBucketed}};
const Names<model::ConvolutionPath> kConvolutionPaths = {{"auto", model::ConvolutionPath::kAuto},
                                                         {"torch", model::ConvolutionPath::kTorch}};
const Names<balance::Mode> kModes = {
    {"off", balance::Mode::kOff}, {"watch", balance::Mode::kWatch}, {"act", balance::Mode::kAct}};
const Names<balance::Rule> kRules = {{"balance", balance::Rule::kBalance},
                                     {"losses", balance::Rule::kLosses},
                                     {"accuracies", balance::Rule::kAccuracies}};

void AddDataFlags(Flags& flags, TrainOptions& o) {
  flags.Group("Data and run folder");
  // The data set is compared by its digest, not by where it lies.
  flags.Add(kMayChange, "--shards", o.shards, "Shard folder made by gan-preprocess")->required();
  auto* root = flags.Add(kMayChange, "--out", o.run_root, "Folder in which a new numbered run folder is made");
  flags.Add(kMayChange, "--run", o.run, "Exactly this run folder; made when absent, continued when not")
      ->excludes(root);
  flags.Add(kMayChange, "--resume", o.resume,
            "auto: newest intact checkpoint of the run folder; none; or a checkpoint's path");
  flags
      .Add(kMayChange, "--init-from", o.init_from,
           "What a new run's networks start from: a checkpoint, grown to --resolution, or .safetensors with PyTorch's "
           "names for G, D or both (one file or two)")
      ->expected(1, 2)
      ->check(CLI::ExistingPath);
  flags.Add(kFixed, "--holdout", o.holdout, "Part of the pictures kept out of training (at most 2,000)")
      ->check(CLI::Range(0.0, 0.5));
  flags
      .Add(kMayChange, "--corrupt-records", o.corrupt_records,
           "A record whose checksum fails: stop (exit code 3), or replace it by the next intact one and count it")
      ->check(CLI::IsMember({"stop", "replace"}));
  flags.AddSwitch(kFixed, "--flip", o.flip, "Mirror pictures left-right at random");
}

void AddLengthFlags(Flags& flags, TrainOptions& o) {
  flags.Group("Length (totals, also after a resume; default 100 epochs)");
  auto* steps = flags.Add(kMayChange, "--steps", o.steps, "Steps");
  auto* images = flags.Add(kMayChange, "--images", o.images, "Real images shown to D, over all ranks");
  auto* epochs = flags.Add(kMayChange, "--epochs", o.epochs, "Passes over the data set");
  steps->excludes(images)->excludes(epochs);
  images->excludes(epochs);
}

void AddModelFlags(Flags& flags, TrainOptions& o) {
  flags.Group("Networks and optimisation");
  flags.Add(kFixed, "--resolution", o.gan.network.resolution, "Pixels a side: 64, 128 or 256");
  flags.Add(kFixed, "--features", o.gan.network.features, "Feature maps of the first D and the last G layer at 128 px");
  flags.Add(kFixed, "--features-d", o.gan.network.d_features, "The same for D alone; 0: as --features");
  flags.Add(kFixed, "--noise-dim", o.gan.network.noise_dim, "Length of a latent");
  flags.Add(kMayChange, "--batch", o.batch, "Images a rank and pass")->check(CLI::Range(1, 65536));
  flags.Add(kFixed, "--global-batch", o.global_batch, "Images an update, kept when ranks change; 0: batch x ranks");
  flags.Add(kMayChange, "--lr-g", o.lr_g, "Adam's rate for the generator at the start; --balance act raises a low one")
      ->check(CLI::PositiveNumber);
  flags
      .Add(kMayChange, "--lr-d", o.lr_d,
           "Adam's rate for the discriminator at the start; --balance act raises a low one")
      ->check(CLI::PositiveNumber);
  flags.Add(kFixed, "--d-steps", o.d_steps, "Updates of D a step")->check(CLI::Range(1, 100));
  flags.Add(kFixed, "--beta1", o.gan.adam.beta1, "Adam's first beta; --balance act holds it at 0.5 or below")
      ->check(CLI::Range(0.0, 0.9999));
  flags.Add(kFixed, "--beta2", o.gan.adam.beta2, "Adam's second beta")->check(CLI::Range(0.0, 0.999999));
  flags.Add(kMayChange, "--real-label", o.real_label, "D's target for real pictures")->check(CLI::Range(0.5, 1.0));
  flags.Add(kMayChange, "--fake-label", o.fake_label, "D's target for fakes; 0 is one-sided smoothing")
      ->check(CLI::Range(0.0, 0.5));
  flags.Add(kFixed, "--clip-norm", o.gan.clip_norm, "Longest gradient of a network applied unshortened; 0: any")
      ->check(CLI::NonNegativeNumber);
  flags.Add(kFixed, "--ema", o.gan.ema_half_life_images, "Half-life of G's moving average, in images; 0: no average");
  flags.Add(kFixed, "--warmup-steps", o.schedule.warmup_steps, "Steps in which both rates rise from 0");
  flags.AddChoice(kFixed, "--lr-decay", o.schedule.decay, kDecays, "Both rates fall to 0 at the end of the run");
  flags.AddSwitch(kFixed, "--sync-bn", o.gan.sync_batch_norm, "Batch norm over the images of all ranks");
  flags.AddChoice(kFixed, "--precision", o.gan.precision, kPrecisions,
                  "fp32: on GPUs convolutions in TF32; bf16: those in bfloat16");
  flags.Add(kFixed, "--seed", o.seed, "Everything random follows from it");
}

void AddBalanceFlags(Flags& flags, TrainOptions& o) {
  flags.Group("Balance");
  flags.AddChoice(kMayChange, "--balance", o.balance.mode, kModes, "off, watch (verdicts only) or act");
  flags.Add(kMayChange, "--balance-actions", o.balance_actions,
            "What it may do: augment, g-rate, d-rate, d-every, d-steps, freeze-g, restart-d, rollback, "
            "rollback-collapse, r1, wgan-gp, feature-matching, widen-d, or all");
  flags
      .AddChoice(kMayChange, "--balance-rule", o.balance.rule, kRules,
                 "For studies: rules of others instead of the balance's own")
      ->group("");
  flags.Add(kMayChange, "--balance-set", o.balance_set, "Thresholds and rates of docs/balance.md: NAME=VALUE,...")
      ->delimiter(',');
  flags.Add(kFixed, "--inject", o.inject,
            "Faults on purpose, for studies: latents:K@S+N; loss, weights, moments or pictures:X@S; loader or "
            "rank:SECONDS@S");
}

void AddRhythmFlags(Flags& flags, TrainOptions& o) {
  flags.Group("Rhythm, in steps (0: only at the end)");
  flags.Add(kMayChange, "--log-every", o.log_every, "A line in stats.jsonl");
  flags.Add(kMayChange, "--sample-every", o.sample_every, "A grid of fakes from fixed latents");
  flags.Add(kMayChange, "--checkpoint-every", o.checkpoint_every, "A checkpoint");
  flags.Add(kMayChange, "--check-every", o.check_every, "Ranks compare their weights bit for bit");
  flags.AddSwitch(kMayChange, "--tensorboard", o.tensorboard,
                  "Also write the run's curves and grids as TensorBoard event files");
  flags.Add(kMayChange, "--keep", o.keep.last, "Newest checkpoints kept")->check(CLI::Range(2, 1000000));
  flags.Add(kMayChange, "--keep-every", o.keep.every,
            "Also keep the checkpoints of steps that are multiples of this; 0: none");
}

void AddMachineFlags(Flags& flags, TrainOptions& o) {
  flags.Group("Machine");
  flags.Add(kFixed, "--device", o.device, "auto, cpu or cuda")->check(CLI::IsMember({"auto", "cpu", "cuda"}));
  flags.Add(kMayChange, "--threads", o.threads, "Threads a rank computes with; 0: the host's cores shared among ranks")
      ->check(CLI::Range(0, 4096));
  flags.AddChoice(kFixed, "--gradient-sync", o.gan.gradients.path, kSyncPaths,
                  "flat: one all-reduce after backward; bucketed: overlapped with it; auto: flat on CPUs");
  flags.AddChoice(kFixed, "--convolutions", o.gan.network.convolutions, kConvolutionPaths,
                  "auto: channels-last, and on CPUs each shape the faster way; torch: as PyTorch, bit for bit");
  flags.AddSwitch(kFixed, "--channels-last", o.gan.channels_last,
                  "Weights and images as NHWC in memory; so they are anyway, but for --convolutions torch");
  flags.AddSwitch(kMayChange, "--dry-run", o.dry_run, "Print parameters, memory and FLOPs a step, train nothing");
  flags.AddSwitch(kMayChange, "--deterministic", o.deterministic, "Same bits in every run on one CPU model");
  flags.Add(kMayChange, "--expect-world-size", o.expect_world_size,
            "Refuse to start with another number of ranks (0: any)");
  flags.Add(kMayChange, "--metrics-port", o.metrics_port,
            "Prometheus port of local rank 0, the next rank the next; 0: any; off");
  flags.Add(kMayChange, "--metrics-address", o.metrics_address, "Address that serves the metrics and the live page");
  flags.Add(kMayChange, "--metrics-password-file", o.metrics_password_file,
            "Ask for what its one line says, user:password");
  flags.Group("Machine: seconds of silence after which a rank ends with its stacks in the run folder; 0: never");
  flags.Add(kMayChange, "--start-timeout", o.watchdog.start_seconds, "From the start to the first step");
  flags.Add(kMayChange, "--step-timeout", o.watchdog.step_seconds, "In a step");
  flags.Add(kMayChange, "--save-timeout", o.watchdog.save_seconds,
            "In a save: writing, waiting for other ranks, pruning");
  flags.Add(kMayChange, "--evaluate-timeout", o.watchdog.evaluate_seconds,
            "In a batch of measuring quality, a grid, comparing ranks");
  flags.Add(kMayChange, "--comm-timeout", o.comm_timeout_seconds, "In a collective: an error that names rank and call")
      ->check(CLI::Range(1, 86400));
}

// Which options a resumed run may change, and what else differs without harm.
std::set<std::string> Changeable() {
  CLI::App app;
  Flags flags(app);
  TrainOptions options;
  AddTrainFlags(flags, options);
  std::set<std::string> names = flags.may_change();
  names.insert({"world_size", "d_width"});
  return names;
}

}  // namespace

void AddTrainFlags(Flags& flags, TrainOptions& options) {
  AddDataFlags(flags, options);
  AddLengthFlags(flags, options);
  AddModelFlags(flags, options);
  AddObjectiveFlags(flags, options);
  AddQualityFlags(flags, options);
  AddBalanceFlags(flags, options);
  AddRhythmFlags(flags, options);
  AddMachineFlags(flags, options);
}

void AddTrainFlags(CLI::App& app, TrainOptions& options) {
  Flags flags(app);
  AddTrainFlags(flags, options);
}

nlohmann::json ToJson(const TrainOptions& options) {
  CLI::App app;
  Flags flags(app);
  TrainOptions copy = options;
  AddTrainFlags(flags, copy);
  return flags.ToJson();
}

void Validate(const TrainOptions& options, int world_size) {
  if (options.expect_world_size != 0 && options.expect_world_size != static_cast<std::uint64_t>(world_size)) {
    throw UsageError("this job has " + std::to_string(world_size) + " rank(s), --expect-world-size says " +
                     std::to_string(options.expect_world_size) +
                     "; start it with mpirun -np N or srun --mpi=pmix (plain srun starts N jobs of one rank)");
  }
  model::Validate(options.gan.network);
  ValidateObjective(options);
  ResolveBalance(options);
  if (options.metrics_port != "off" && options.metrics_port.find_first_not_of("0123456789") != std::string::npos) {
    throw UsageError("--metrics-port " + options.metrics_port + ": must be a port, 0 or off");
  }
}

balance::BalanceOptions ResolveBalance(const TrainOptions& options) {
  nlohmann::json fields = options.balance;
  for (const std::string& setting : options.balance_set) {
    const std::size_t equals = setting.find('=');
    const std::string name = setting.substr(0, equals);
    const nlohmann::json value = equals == std::string::npos
                                     ? nlohmann::json()
                                     : nlohmann::json::parse(setting.substr(equals + 1), nullptr, false);
    if (!value.is_number() || name == "mode" || name == "remedies" || !fields.contains(name)) {
      throw UsageError("--balance-set " + setting + ": must be NAME=NUMBER with a name from docs/balance.md");
    }
    fields[name] = value;
  }
  auto resolved = fields.get<balance::BalanceOptions>();
  resolved.remedies = balance::ParseRemedies(options.balance_actions);
  resolved.rule = options.balance.rule;
  resolved.lr_g = options.lr_g;
  resolved.lr_d = options.lr_d;
  resolved.features = static_cast<std::uint32_t>(options.gan.network.features);
  if (options.lr_g > 0) resolved.d_pace = options.lr_d * static_cast<double>(options.d_steps) / options.lr_g;
  balance::CheckOptions(resolved);
  if (resolved.IsEnabled(balance::Remedy::kWidenDiscriminator) && options.gan.network.spectral_norm) {
    throw UsageError("--balance-actions widen-d: --spectral-norm would change what the wider D computes");
  }
  return resolved;
}

BatchPlan PlanBatches(std::uint64_t batch, std::uint64_t global_batch, int world_size) {
  const auto ranks = static_cast<std::uint64_t>(world_size);
  if (global_batch == 0) return {batch, 1};
  if (global_batch % ranks != 0) {
    throw UsageError("a global batch of " + std::to_string(global_batch) + " images cannot be shared evenly by " +
                     std::to_string(ranks) + " ranks; start a number of ranks that divides it");
  }
  const std::uint64_t per_rank = global_batch / ranks;
  if (per_rank <= batch) return {per_rank, 1};
  if (per_rank % batch != 0) {
    throw UsageError("--batch " + std::to_string(batch) + ": each of " + std::to_string(ranks) + " ranks has " +
                     std::to_string(per_rank) + " images of the global batch of " + std::to_string(global_batch) +
                     "; --batch must divide that");
  }
  return {batch, static_cast<std::uint32_t>(per_rank / batch)};
}

void RequireResumable(const nlohmann::json& saved, const nlohmann::json& now, const std::filesystem::path& checkpoint) {
  const std::set<std::string> changeable = Changeable();
  std::string differences;
  for (const auto& [name, value] : now.items()) {
    const auto before = saved.find(name);
    if (changeable.contains(name) || (before != saved.end() && *before == value)) continue;
    differences += (differences.empty() ? "" : ", ") + name + " (" +
                   (before == saved.end() ? "absent" : before->dump()) + " then, " + value.dump() + " now)";
  }
  if (differences.empty()) return;
  std::string allowed;
  for (const std::string& name : changeable) allowed += (allowed.empty() ? "" : ", ") + name;
  throw UsageError("cannot resume " + checkpoint.string() + ": " + differences + ". These may change: " + allowed +
                   ". For a new run name another --run, or pass --resume none into an empty folder");
}

}  // namespace gan::run
