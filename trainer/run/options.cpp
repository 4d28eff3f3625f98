#include "trainer/run/options.h"

#include <array>
#include <map>
#include <string_view>

#include "storage/errors.h"
#include "trainer/run/choices.h"
#include "trainer/run/objective_flags.h"

namespace gan::run {

namespace {

// Everything else is part of the mathematics: changing it in mid-run would make the run irreproducible.
constexpr auto kMayChange = std::to_array<std::string_view>({"steps",
                                                             "images",
                                                             "epochs",
                                                             "lr_g",
                                                             "lr_d",
                                                             "real_label",
                                                             "fake_label",
                                                             "log_every",
                                                             "sample_every",
                                                             "checkpoint_every",
                                                             "check_every",
                                                             "keep",
                                                             "threads",
                                                             "metrics_port",
                                                             "metrics_address",
                                                             "metrics_password_file",
                                                             "corrupt_records",
                                                             "balance",
                                                             "expect_world_size",
                                                             "comm_timeout_seconds",
                                                             "resume",
                                                             "run",
                                                             "batch",
                                                             "world_size",
                                                             "dry_run",
                                                             "tensorboard",
                                                             "widen_d",
                                                             "d_width",
                                                             "init_from",
                                                             "quality_every",
                                                             "quality_images",
                                                             "inception",
                                                             "keep_best",
                                                             "deterministic"});

bool MayChange(std::string_view name) {
  return std::find(kMayChange.begin(), kMayChange.end(), name) != kMayChange.end() || name == "run_root" ||
         name == "shards";  // the data set is compared by its digest, not by where it lies
}

const std::map<std::string, step::Decay> kDecays = {
    {"none", step::Decay::kNone}, {"linear", step::Decay::kLinear}, {"cosine", step::Decay::kCosine}};
const std::map<std::string, step::Precision> kPrecisions = {
    {"fp32", step::Precision::kFp32}, {"bf16", step::Precision::kBf16}, {"fp64", step::Precision::kFp64}};
const std::map<std::string, distributed::SyncPath> kSyncPaths = {{"auto", distributed::SyncPath::kAuto},
                                                                 {"flat", distributed::SyncPath::kFlat},
                                                                 {"bucketed", distributed::SyncPath::kBucketed}};
const std::map<std::string, balance::Mode> kModes = {
    {"off", balance::Mode::kOff}, {"watch", balance::Mode::kWatch}, {"act", balance::Mode::kAct}};

void AddDataFlags(CLI::App& app, TrainOptions& o) {
  const std::string group = "Data and run folder";
  app.add_option("--shards", o.shards, "Shard folder made by gan-preprocess")->required()->group(group);
  auto* root = app.add_option("--out", o.run_root, "Folder in which a new numbered run folder is made");
  root->group(group)->capture_default_str();
  app.add_option("--run", o.run, "Exactly this run folder; made when absent, continued when not")
      ->group(group)
      ->excludes(root);
  app.add_option("--resume", o.resume, "auto: newest intact checkpoint of the run folder; none; or a checkpoint's path")
      ->group(group)
      ->capture_default_str();
  app.add_option("--init-from", o.init_from,
                 "Weights a new run starts from: .safetensors with PyTorch's names, for G, D or both (one file or two)")
      ->expected(1, 2)
      ->check(CLI::ExistingFile)
      ->group(group);
  app.add_option("--holdout", o.holdout, "Part of the pictures kept out of training (at most 2,000)")
      ->check(CLI::Range(0.0, 0.5))
      ->group(group)
      ->capture_default_str();
  app.add_option("--corrupt-records", o.corrupt_records,
                 "A record whose checksum fails: stop (exit code 3), or replace it by the next intact one and count it")
      ->check(CLI::IsMember({"stop", "replace"}))
      ->group(group)
      ->capture_default_str();
  app.add_flag("--flip,!--no-flip", o.flip, "Mirror pictures left-right at random")->group(group);
}

void AddLengthFlags(CLI::App& app, TrainOptions& o) {
  const std::string group = "Length (totals, also after a resume; default 100 epochs)";
  auto* steps = app.add_option("--steps", o.steps, "Steps")->group(group);
  auto* images = app.add_option("--images", o.images, "Real images shown to D, over all ranks")->group(group);
  auto* epochs = app.add_option("--epochs", o.epochs, "Passes over the data set")->group(group);
  steps->excludes(images)->excludes(epochs);
  images->excludes(epochs);
}

void AddModelFlags(CLI::App& app, TrainOptions& o) {
  const std::string group = "Networks and optimisation";
  const auto add = [&](const std::string& name, auto& value, const std::string& help) {
    return app.add_option(name, value, help)->group(group)->capture_default_str();
  };
  add("--resolution", o.gan.network.resolution, "Pixels a side: 64, 128 or 256");
  add("--features", o.gan.network.features, "Feature maps of the first D and the last G layer at 128 px");
  add("--noise-dim", o.gan.network.noise_dim, "Length of a latent");
  add("--batch", o.batch, "Images a rank and pass")->check(CLI::Range(1, 65536));
  add("--global-batch", o.global_batch, "Images an update, kept when ranks change; 0: batch x ranks");
  add("--lr-g", o.lr_g, "Adam's rate for the generator")->check(CLI::PositiveNumber);
  add("--lr-d", o.lr_d, "Adam's rate for the discriminator")->check(CLI::PositiveNumber);
  add("--beta1", o.gan.adam.beta1, "Adam's first beta")->check(CLI::Range(0.0, 0.9999));
  add("--beta2", o.gan.adam.beta2, "Adam's second beta")->check(CLI::Range(0.0, 0.999999));
  add("--real-label", o.real_label, "D's target for real pictures")->check(CLI::Range(0.5, 1.0));
  add("--fake-label", o.fake_label, "D's target for fakes; 0 is one-sided smoothing")->check(CLI::Range(0.0, 0.5));
  add("--d-steps", o.d_steps, "Updates of D a step")->check(CLI::Range(1, 100));
  add("--clip-norm", o.gan.clip_norm, "Longest gradient of a network that is applied unshortened; 0: any")
      ->check(CLI::NonNegativeNumber);
  add("--ema", o.gan.ema_half_life_images, "Half-life of G's moving average, in images; 0: no average");
  add("--warmup-steps", o.schedule.warmup_steps, "Steps in which both rates rise from 0");
  AddChoice(app, group, "--lr-decay", o.schedule.decay, kDecays, "Both rates fall to 0 at the end of the run");
  app.add_flag("--sync-bn", o.gan.sync_batch_norm, "Batch norm over the images of all ranks")->group(group);
  AddChoice(app, group, "--precision", o.gan.precision, kPrecisions, "bf16: convolutions in bfloat16 (GPUs)");
  add("--seed", o.seed, "Everything random follows from it");
}

void AddBalanceFlags(CLI::App& app, TrainOptions& o) {
  AddChoice(app, "Balance", "--balance", o.balance.mode, kModes, "off, watch (verdicts only) or act");
  app.add_option("--inject", o.inject, "Faults on purpose, for studies: latents:K@S+N, pictures:X@S, weights:X@S")
      ->group("Balance");
}

void AddRhythmFlags(CLI::App& app, TrainOptions& o) {
  const std::string group = "Rhythm, in steps (0: only at the end)";
  const auto add = [&](const std::string& name, auto& value, const std::string& help) {
    return app.add_option(name, value, help)->group(group)->capture_default_str();
  };
  add("--log-every", o.log_every, "A line in stats.jsonl");
  add("--sample-every", o.sample_every, "A grid of fakes from fixed latents");
  add("--checkpoint-every", o.checkpoint_every, "A checkpoint");
  add("--check-every", o.check_every, "Ranks compare their weights bit for bit");
  app.add_flag("--tensorboard", o.tensorboard, "Also write the run's curves and grids as TensorBoard event files")
      ->group(group);
  add("--keep", o.keep, "Newest checkpoints kept")->check(CLI::Range(2, 1000000));
}

void AddMachineFlags(CLI::App& app, TrainOptions& o) {
  const std::string group = "Machine";
  const auto add = [&](const std::string& name, auto& value, const std::string& help) {
    return app.add_option(name, value, help)->group(group)->capture_default_str();
  };
  add("--device", o.device, "auto, cpu or cuda")->check(CLI::IsMember({"auto", "cpu", "cuda"}));
  add("--threads", o.threads, "Threads a rank computes with; 0: the host's cores shared among its ranks")
      ->check(CLI::Range(0, 4096));
  AddChoice(app, group, "--gradient-sync", o.gan.gradients.path, kSyncPaths,
            "flat: one all-reduce after backward; bucketed: overlapped with it; auto: flat on CPUs");
  app.add_flag("--channels-last", o.gan.channels_last, "Weights and images as NHWC in memory")->group(group);
  app.add_flag("--dry-run", o.dry_run, "Print parameters, memory and FLOPs a step, train nothing")->group(group);
  app.add_flag("--deterministic", o.deterministic, "Same bits in every run on one CPU model")->group(group);
  add("--expect-world-size", o.expect_world_size, "Refuse to start with another number of ranks (0: any)");
  add("--metrics-port", o.metrics_port, "Prometheus port of local rank 0, the next rank the next; 0: any; off");
  add("--metrics-address", o.metrics_address, "Address that serves the metrics and the live page");
  app.add_option("--metrics-password-file", o.metrics_password_file, "Ask for what its one line says, user:password")
      ->group(group);
  add("--comm-timeout", o.comm_timeout_seconds, "Seconds after which a silent rank is an error")
      ->check(CLI::Range(1, 86400));
}

}  // namespace

void AddTrainFlags(CLI::App& app, TrainOptions& options) {
  AddDataFlags(app, options);
  AddLengthFlags(app, options);
  AddModelFlags(app, options);
  AddObjectiveFlags(app, options);
  AddQualityFlags(app, options);
  AddBalanceFlags(app, options);
  AddRhythmFlags(app, options);
  AddMachineFlags(app, options);
}

void Validate(const TrainOptions& options, int world_size) {
  if (options.expect_world_size != 0 && options.expect_world_size != static_cast<std::uint64_t>(world_size)) {
    throw UsageError("this job has " + std::to_string(world_size) + " rank(s), --expect-world-size says " +
                     std::to_string(options.expect_world_size) +
                     "; start it with mpirun -np N or srun --mpi=pmix (plain srun starts N jobs of one rank)");
  }
  model::Validate(options.gan.network);
  ValidateObjective(options);
  if (options.metrics_port != "off" && options.metrics_port.find_first_not_of("0123456789") != std::string::npos) {
    throw UsageError("--metrics-port " + options.metrics_port + ": must be a port, 0 or off");
  }
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

nlohmann::json ToJson(const TrainOptions& o) {
  nlohmann::json json = {{"shards", o.shards.string()},
                         {"run_root", o.run_root.string()},
                         {"run", o.run.string()},
                         {"resume", o.resume},
                         {"holdout", o.holdout},
                         {"corrupt_records", o.corrupt_records},
                         {"flip", o.flip},
                         {"steps", o.steps},
                         {"images", o.images},
                         {"epochs", o.epochs},
                         {"resolution", o.gan.network.resolution},
                         {"features", o.gan.network.features},
                         {"noise_dim", o.gan.network.noise_dim},
                         {"batch", o.batch},
                         {"global_batch", o.global_batch},
                         {"clip_norm", o.gan.clip_norm},
                         {"ema", o.gan.ema_half_life_images},
                         {"warmup_steps", o.schedule.warmup_steps},
                         {"lr_decay", NameOf(o.schedule.decay, kDecays)},
                         {"sync_bn", o.gan.sync_batch_norm},
                         {"precision", NameOf(o.gan.precision, kPrecisions)},
                         {"gradient_sync", NameOf(o.gan.gradients.path, kSyncPaths)},
                         {"channels_last", o.gan.channels_last},
                         {"dry_run", o.dry_run},
                         {"tensorboard", o.tensorboard},
                         {"lr_g", o.lr_g},
                         {"lr_d", o.lr_d},
                         {"beta1", o.gan.adam.beta1},
                         {"beta2", o.gan.adam.beta2},
                         {"real_label", o.real_label},
                         {"fake_label", o.fake_label},
                         {"seed", o.seed},
                         {"balance", NameOf(o.balance.mode, kModes)},
                         {"log_every", o.log_every},
                         {"sample_every", o.sample_every},
                         {"checkpoint_every", o.checkpoint_every},
                         {"check_every", o.check_every},
                         {"keep", o.keep},
                         {"device", o.device},
                         {"threads", o.threads},
                         {"deterministic", o.deterministic},
                         {"expect_world_size", o.expect_world_size},
                         {"metrics_port", o.metrics_port},
                         {"metrics_address", o.metrics_address},
                         {"metrics_password_file", o.metrics_password_file},
                         {"comm_timeout_seconds", o.comm_timeout_seconds}};
  json.update(ObjectiveToJson(o));
  return json;
}

void RequireResumable(const nlohmann::json& saved, const nlohmann::json& now, const std::filesystem::path& checkpoint) {
  std::string differences;
  for (const auto& [name, value] : now.items()) {
    const auto before = saved.find(name);
    if (MayChange(name) || (before != saved.end() && *before == value)) continue;
    differences += (differences.empty() ? "" : ", ") + name + " (" +
                   (before == saved.end() ? "absent" : before->dump()) + " then, " + value.dump() + " now)";
  }
  if (differences.empty()) return;
  std::string allowed;
  for (const std::string_view name : kMayChange) allowed += (allowed.empty() ? "" : ", ") + std::string(name);
  throw UsageError("cannot resume " + checkpoint.string() + ": " + differences + ". These may change: " + allowed +
                   ". For a new run name another --run, or pass --resume none into an empty folder");
}

}  // namespace gan::run
