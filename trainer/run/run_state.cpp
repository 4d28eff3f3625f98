#include "trainer/run/run_state.h"

#include <chrono>
#include <cmath>
#include <random>

#include "cli/build_facts.h"
#include "cli/log.h"
#include "monitoring/http_access.h"
#include "monitoring/page/live_page.h"
#include "storage/errors.h"
#include "trainer/distributed/replicas.h"
#include "trainer/loss/objective.h"
#include "trainer/run/agree.h"
#include "trainer/run/checkpoint_state.h"
#include "trainer/run/device.h"
#include "trainer/run/init_from.h"
#include "trainer/run/objective_flags.h"
#include "trainer/run/samples.h"
#include "trainer/run/stop_signal.h"

namespace gan::run {

namespace {

constexpr std::uint64_t kGridPictures = 64;
constexpr double kDefaultEpochs = 100;

std::shared_ptr<distributed::Communicator> NewCommunicator(const TrainOptions& options, const distributed::World& world,
                                                           const std::string& purpose, const std::string& device) {
  return distributed::Communicator::Create(world, purpose, device, std::chrono::seconds(options.comm_timeout_seconds));
}

std::string NewLineage() {
  std::random_device random;
  char text[17];
  std::snprintf(text, sizeof text, "%08x%08x", random(), random());
  return text;
}

std::shared_ptr<const data::Dataset> OpenDataset(const TrainOptions& options) {
  auto dataset = std::make_shared<const data::Dataset>(options.shards, options.holdout);
  if (dataset->size() == 0) throw DataError(options.shards, "holds no pictures to train on");
  const auto side = static_cast<std::int64_t>(dataset->image_size());
  if (side % options.gan.network.resolution != 0) {
    throw UsageError("--resolution " + std::to_string(options.gan.network.resolution) + " does not divide the " +
                     std::to_string(side) + " px of the shards in " + options.shards.string() +
                     "; preprocess with --size " + std::to_string(options.gan.network.resolution));
  }
  return dataset;
}

RunFolder CheckThenOpenFolder(const TrainOptions& options, const distributed::World& world,
                              distributed::Communicator& control, std::shared_ptr<const data::Dataset>& dataset) {
  OnAllRanks(control, [&] {
    Validate(options, world.size);
    dataset = OpenDataset(options);
  });
  return RunFolder::Open(options, control);
}

}  // namespace

RunState::RunState(const TrainOptions& options, const distributed::World& world)
    : options_(options),
      world_(world),
      device_(PrepareDevice(options, world)),
      control_(NewCommunicator(options, world, "control", "cpu")),
      gradients_(NewCommunicator(options, world, "gradients", device_.is_cuda() ? "cuda" : "cpu")),
      folder_(CheckThenOpenFolder(options, world, *control_, dataset_)),
      gan_(options.gan, device_, options.seed, gradients_),
      controller_(options.balance),
      loss_range_(loss::DiscriminatorRange(options.gan.loss.kind, {options.real_label, options.fake_label})),
      faults_(options.inject) {
  saves_ = NewCommunicator(options_, world_, "checkpoints", "cpu");
  if (world_.rank == 0) cli::OpenLog("gan-train", folder_.Log());
  OpenMetrics();
  BeginOrResume();
}

void RunState::OpenMetrics() {
  monitoring::MetricsOptions metrics;
  metrics.address = options_.metrics_address;
  const bool wanted = options_.metrics_port != "off";
  metrics.port = wanted ? std::stoi(options_.metrics_port) : -1;
  metrics.rank = world_.rank;
  metrics.local_rank = world_.local_rank;
  metrics.constant_labels = {{"run", folder_.path().filename().string()}};
  metrics.build_facts = {{"device", device_.is_cuda() ? "cuda" : "cpu"}};
  OnAllRanks(*control_, [&] {
    if (wanted && !options_.metrics_password_file.empty()) {
      metrics.credentials = monitoring::ReadCredentials(options_.metrics_password_file);
    }
  });
  metrics_ = std::make_unique<monitoring::Metrics>(metrics);
  if (wanted && !metrics_->serving()) cli::LogWarning("no metrics: " + metrics_->why() + "; training goes on");
  if (metrics_->serving() && metrics.credentials.empty() && !monitoring::IsLoopback(metrics.address) &&
      world_.rank == 0) {
    cli::LogWarning("everybody who reaches " + metrics_->address() +
                    " can see this run's metrics and pictures; --metrics-password-file asks for a password");
  }
  std::vector<std::string> targets;
  for (const std::string& address : control_->AllGather(metrics_->serving() ? metrics_->address() : "")) {
    if (!address.empty()) targets.push_back(address);
  }
  OnRankZero(*control_, [&] {
    monitoring::WriteTargetsFile(folder_.Targets().string(), targets,
                                 {{"job", "gan-train"}, {"run", folder_.path().filename().string()}});
  });
}

// What must stay the same for a checkpoint to be continued.
nlohmann::json RunState::Identity() const {
  nlohmann::json identity = ToJson(options_);
  identity["d_width"] = gan_.options.network.d_width;
  identity["world_size"] = world_.size;
  identity["batch"] = batches_of_step_.batch;
  identity["global_batch"] = GlobalBatch();
  identity["dataset_digest"] = dataset_->manifest().dataset_digest;
  return identity;
}

std::optional<checkpoint::Checkpoint> RunState::FindCheckpoint() {
  if (options_.resume == "none") {
    OnRankZero(*control_, [&] {
      if (checkpoint::ListCheckpoints(folder_.Checkpoints()).empty()) return;
      throw UsageError(folder_.path().string() + " holds checkpoints; name another --run, or leave out --resume none");
    });
    return std::nullopt;
  }
  if (options_.resume == "auto") {
    return checkpoint::LoadNewest(folder_.Checkpoints(), RanksOf(*control_),
                                  [](const std::string& why) { cli::LogWarning(why); });
  }
  std::optional<checkpoint::Checkpoint> named;
  OnAllRanks(*control_, [&] { named = checkpoint::Load(options_.resume); });
  OnRankZero(*control_, [&] {
    const auto existing = checkpoint::ListCheckpoints(folder_.Checkpoints());
    if (existing.empty()) return;
    if (!std::filesystem::equivalent(named->folder.parent_path(), folder_.Checkpoints())) {
      throw UsageError(folder_.path().string() + " has checkpoints of its own, up to " +
                       existing[0].filename().string() + "; name another --run to branch off " + options_.resume);
    }
  });
  return named;
}

// Going on from an older checkpoint of the same run begins another branch of its history.
void RunState::LeaveBranch() {
  std::string left = lineage_;
  OnRankZero(*control_, [&] {
    const auto existing = checkpoint::ListCheckpoints(folder_.Checkpoints());
    const auto newest = existing.empty() ? std::optional<std::uint64_t>()
                                         : checkpoint::ParseCheckpointFolderName(existing[0].filename().string());
    if (!newest || *newest <= step_) return;
    checkpoint::SetLaterAside(folder_.Checkpoints(), step_, lineage_);
    left = NewLineage();
    cli::LogInfo("rolled back to step " + std::to_string(step_) + ": later checkpoints are set aside as *.abandoned-" +
                 lineage_ + ", the new branch is " + left);
  });
  lineage_ = control_->Broadcast(left);
}

void RunState::BeginOrResume() {
  const std::optional<checkpoint::Checkpoint> saved = FindCheckpoint();
  OnAllRanks(*control_, [&] {
    std::uint64_t global_batch = options_.global_batch;
    if (saved && global_batch == 0) global_batch = saved->state.at("options").at("global_batch");
    batches_of_step_ = PlanBatches(options_.batch, global_batch, world_.size);
    quality_.emplace(options_, dataset_, device_, control_);
    if (saved) Resume(*saved);
    if (gan_.options.loss.perceptual > 0) {
      gan_.extractor = std::make_shared<loss::FeatureExtractor>(gan_.options.loss.perceptual_file, device_);
    }
  });
  if (saved) LeaveBranch();
  recorder_.emplace(folder_, options_, world_, *metrics_, step_, images_);
  batches_.emplace(dataset_, options_, batches_of_step_.batch, world_, device_, images_);
  if (!saved) BeginNew();
  OnRankZero(*control_, [&] {
    storage::WriteFileAtomically(
        folder_.Options(), nlohmann::json({{"options", Identity()}, {"build", cli::BuildFacts()}}).dump(2) + "\n");
  });
  if (world_.rank != 0) return;
  cli::LogInfo("run folder " + folder_.path().string() + "  ranks " + std::to_string(world_.size) + "  threads " +
               std::to_string(torch::get_num_threads()) + "  device " + device_.str() + "  pictures " +
               std::to_string(dataset_->size()) + " (+" + std::to_string(dataset_->holdout_size()) + " held out)");
  recorder_->Status("running");
  if (!metrics_->serving()) return;
  monitoring::ServePage(*metrics_->server(), std::make_shared<monitoring::RunView>(folder_.path(), /*live=*/true));
  cli::LogInfo("live page at http://" + metrics_->address() + "/  metrics at http://" + metrics_->address() +
               "/metrics");
}

void RunState::Resume(const checkpoint::Checkpoint& saved) {
  RequireResumable(saved.state.at("options"), Identity(), saved.folder);
  TakeWidth(NetworkFromJson(saved.state.at("options")).d_width);
  RestoreAll(saved, gan_.NamedState());
  if (options_.gan.network.d_width > gan_.options.network.d_width) {
    step::WidenDiscriminator(gan_, options_.gan.network.d_width, options_.seed);
  }
  if (saved.state.contains("ada")) ada_.Restore(saved.state.at("ada"));
  if (saved.state.contains("quality")) quality_->Restore(saved.state.at("quality"));
  controller_.Restore(saved.state.at("balance"));
  bad_steps_in_a_row_ = saved.state.at("bad_steps_in_a_row").get<std::uint32_t>();
  step_ = saved.step;
  images_ = saved.images;
  lineage_ = saved.lineage;
  last_saved_step_ = saved.step;
  if (world_.rank != 0) return;
  cli::LogInfo("resumed from " + saved.folder.string() + ": step " + std::to_string(step_) + ", " +
               std::to_string(images_) + " images");
  const int ranks_before = saved.state.at("options").at("world_size");
  if (ranks_before == world_.size) return;
  cli::LogInfo(std::to_string(ranks_before) + " ranks before, " + std::to_string(world_.size) +
               " now: the same images and latents a step (" + std::to_string(GlobalBatch()) + "), " +
               std::to_string(batches_of_step_.micro_batches) + " pass(es) of " +
               std::to_string(batches_of_step_.batch) + " images on each rank; equal up to rounding, not bit for bit");
}

// The networks as wide as a checkpoint's.
void RunState::TakeWidth(std::int64_t width) {
  if (width == gan_.options.network.d_width) return;
  step::GanOptions as_saved = options_.gan;
  as_saved.network.d_width = width;
  gan_ = step::Gan(as_saved, device_, options_.seed, gradients_);
}

void RunState::BeginNew() {
  OnAllRanks(*control_, [&] {
    for (const auto& source : options_.init_from) {
      const std::string what = StartFrom(source, gan_);
      if (world_.rank == 0) cli::LogInfo(what);
    }
  });
  for (auto& [name, tensor] : gan_.NamedState()) gradients_->Broadcast(tensor);
  lineage_ = control_->Broadcast(NewLineage());
  WriteFirstPictures();
  SaveSamples();
}

void RunState::WriteFirstPictures() {
  OnRankZero(*control_, [&] {
    WriteGrid(folder_.Reals(), FirstReals(*dataset_, kGridPictures, options_.gan.network.resolution));
    recorder_->Picture("reals", step_, folder_.Reals());
  });
}

std::uint64_t RunState::GlobalBatch() const {
  return batches_of_step_.batch * batches_of_step_.micro_batches * static_cast<std::uint64_t>(world_.size);
}

bool RunState::Finished() const { return FractionDone() >= 1; }

double RunState::FractionDone() const {
  if (options_.steps > 0) return static_cast<double>(step_) / static_cast<double>(options_.steps);
  const double epochs = options_.epochs > 0 ? options_.epochs : kDefaultEpochs;
  const double images = options_.images > 0 ? static_cast<double>(options_.images)
                                            : std::ceil(epochs * static_cast<double>(dataset_->size()));
  return static_cast<double>(images_) / images;
}

step::StepPlan RunState::Plan() const {
  const balance::Controls& controls = controller_.controls();
  step::StepPlan plan;
  plan.discriminator_phases =
      (step_ + 1) % controls.d_every == 0 ? static_cast<std::uint32_t>(options_.d_steps) * controls.d_steps : 0;
  plan.micro_batches = batches_of_step_.micro_batches;
  plan.train_generator = controls.freeze_g_steps == 0;
  const double scale = step::LearningRateScale(options_.schedule, step_ + 1, FractionDone());
  plan.lr_d = options_.lr_d * scale * controls.lr_scale_d;
  plan.lr_g = options_.lr_g * scale;
  plan.labels = {options_.real_label, options_.fake_label};
  plan.loss = options_.gan.loss;
  plan.zero_centred_penalties = step_ % plan.loss.penalty_every == 0;
  plan.seed = options_.seed;
  if (options_.gan.augmentation == step::Augmentation::kDiff) plan.augment_probability = 1;
  if (options_.gan.augmentation == step::Augmentation::kAda) plan.augment_probability = ada_.probability();
  return plan;
}

StepRecord RunState::Step() {
  auto start = std::chrono::steady_clock::now();
  const step::StepPlan plan = Plan();
  const std::uint64_t images_before = images_;
  StepRecord record;
  faults_.Spoil(gan_, step_ + 1);
  record.local = step::TrainStep(gan_, plan, [this] { return faults_.Spoil(batches_->Next(), step_ + 1); });
  record.seen = Observe(record.local, StopRequested(), *control_);
  record.step = ++step_;
  record.images = images_ = batches_->cursor();
  gan_.ema.Update(*gan_.generator, images_ - images_before, images_);
  record.epoch = static_cast<double>(images_) / static_cast<double>(dataset_->size());
  record.lr_d = plan.lr_d;
  record.lr_g = plan.lr_g;
  record.augment_probability = plan.augment_probability;
  ada_.Observe(2 * record.seen.accuracy_real - 1, images_ - images_before);
  const auto before_quality = std::chrono::steady_clock::now();
  record.quality = quality_->Measure(gan_, step_);
  start += std::chrono::steady_clock::now() - before_quality;  // not of the step
  record.best = record.quality && quality_->best_step() == step_;
  const balance::Signals signals = ToSignals(record.seen, record.local, loss_range_);
  record.interventions = controller_.Observe(step_, signals);
  if (!signals.finite) {
    record.interventions.push_back({step_, "skip_step", "a gradient or a loss was not finite: the update is left out"});
  }
  record.verdict = controller_.verdict();
  bad_steps_in_a_row_ = signals.finite ? 0 : bad_steps_in_a_row_ + 1;
  record.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  record.images_per_second = static_cast<double>(images_ - images_before) / record.seconds;
  recorder_->Step(record, FractionDone());
  recorder_->Traffic(gradients_->traffic(), batches_->wait_seconds());
  if (const std::uint64_t corrupt = batches_->corrupt_records(); corrupt > 0) {
    recorder_->CorruptRecords(corrupt, batches_->last_corrupt());
  }
  if (recorder_->RanksAreDue(step_)) recorder_->Ranks(control_->AllGather(recorder_->MyTimes()));
  return record;
}

void RunState::RequireEqualReplicas() {
  std::vector<torch::Tensor> tensors;
  for (auto& [name, tensor] : gan_.NamedState()) tensors.push_back(tensor);
  distributed::RequireEqualReplicas(tensors, *control_, "weights, statistics and moments");
}

void RunState::SaveSamples() {
  OnRankZero(*control_, [&] {
    torch::nn::Sequential generator = GeneratorForPictures(gan_, options_.seed);
    const torch::Tensor latents = FixedLatents(options_.seed, kGridPictures, options_.gan.network.noise_dim, device_);
    WriteGrid(folder_.Fakes(step_), Generate(generator, latents));
    recorder_->Picture("fakes", step_, folder_.Fakes(step_));
  });
}

// The mean imbalance of the losses since the save before, which smooths single steps out.
void RunState::StartSave() {
  if (snapshot_) {
    snapshot_->Update(gan_.NamedState());
  } else {
    snapshot_ = std::make_shared<Snapshot>(gan_.NamedState());
  }
  checkpoint::SaveRequest request;
  request.step = saving_step_ = step_;
  request.images = images_;
  request.lineage = lineage_;
  request.state = {{"options", Identity()},
                   {"balance", controller_.Save()},
                   {"ada", ada_.Save()},
                   {"quality", quality_->Save()},
                   {"bad_steps_in_a_row", bad_steps_in_a_row_},
                   {"build", cli::BuildFacts()}};
  request.tensors = snapshot_->views();
  request.before_commit = recorder_->StatsSync();
  checkpoint::Retention keep = options_.keep;
  keep.best = quality_->best_step();
  saver_.Start(
      [request = std::move(request), snapshot = snapshot_, saves = saves_, root = folder_.Checkpoints(), keep] {
        const checkpoint::SaveResult result = checkpoint::Save(root, request, RanksOf(*saves));
        if (saves->rank() != 0) return result;
        try {
          checkpoint::Prune(root, keep);
        } catch (const IoError& error) {
          cli::LogWarning(std::string(error.what()) + "; an old checkpoint stays");
        }
        return result;
      });
}

void RunState::Conclude(const checkpoint::Outcome& outcome) {
  if (outcome.saved) {
    last_saved_step_ = saving_step_;
    recorder_->Checkpoint(*outcome.saved, pause_seconds_);
    return;
  }
  try {
    std::rethrow_exception(outcome.error);
  } catch (const IoError& error) {
    recorder_->CheckpointFailed(error.what());
  } catch (const DataError& error) {
    recorder_->CheckpointFailed(error.what());
  }
}

void RunState::TellOfSave() {
  if (const auto outcome = saver_.Poll()) Conclude(*outcome);
}

void RunState::FinishSave() {
  if (const auto outcome = saver_.Wait()) Conclude(*outcome);
}

void RunState::SaveCheckpoint() {
  const auto start = std::chrono::steady_clock::now();
  FinishSave();
  StartSave();
  pause_seconds_ = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

void RunState::SaveLast() {
  FinishSave();
  if (last_saved_step_ == step_) return;
  const auto start = std::chrono::steady_clock::now();
  StartSave();
  const checkpoint::Outcome outcome = *saver_.Wait();
  if (outcome.error) std::rethrow_exception(outcome.error);
  pause_seconds_ = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  Conclude(outcome);
}

void RunState::Tell(const std::string& state) {
  recorder_->Status(state);
  control_->Barrier();  // the first to leave would get the slow ones killed
  if (world_.rank != 0) return;
  cli::LogInfo(state + " after " + std::to_string(step_) + " steps, " + std::to_string(images_) + " images; " +
               folder_.path().string());
}

}  // namespace gan::run
