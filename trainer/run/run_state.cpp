#include "trainer/run/run_state.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <utility>

#include "cli/log.h"
#include "monitoring/http_access.h"
#include "storage/errors.h"
#include "trainer/distributed/replicas.h"
#include "trainer/loss/objective.h"
#include "trainer/run/agree.h"
#include "trainer/run/same_options.h"
#include "trainer/run/samples.h"
#include "trainer/run/stop_signal.h"

namespace gan::run {

namespace {

constexpr std::uint64_t kGridPictures = 64;
constexpr double kDefaultEpochs = 100;
constexpr double kGradientPenalty = 10;  // lambda of WGAN-GP where the options name none

constexpr std::uint64_t kNever = std::uint64_t{10} * 365 * 24 * 3600;  // seconds

// Where ranks wait for each other's saving or evaluating, the time-out of that part counts; 0: none.
std::shared_ptr<distributed::Communicator> NewCommunicator(std::uint64_t timeout_seconds,
                                                           const distributed::World& world, const std::string& purpose,
                                                           const std::string& device) {
  const std::uint64_t seconds = timeout_seconds == 0 ? kNever : std::min(timeout_seconds, kNever);
  return distributed::Communicator::Create(world, purpose, device, std::chrono::seconds(seconds));
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

// The configured losses with what the balance controller adds to them.
loss::LossOptions WithRemedies(loss::LossOptions loss, const balance::Controls& controls,
                               const balance::BalanceOptions& options) {
  if (controls.r1) loss.r1 = std::max(loss.r1, options.r1_gamma);
  if (controls.feature_matching) loss.feature_matching = std::max(loss.feature_matching, options.matching_weight);
  if (!controls.wgan_gp) return loss;
  loss.kind = loss::Kind::kWganGp;
  if (loss.gradient_penalty <= 0) loss.gradient_penalty = kGradientPenalty;
  return loss;
}

RunFolder CheckThenOpenFolder(const TrainOptions& options, const distributed::World& world,
                              distributed::Communicator& control, std::shared_ptr<const data::Dataset>& dataset) {
  OnAllRanks(control, [&] {
    Validate(options, world.size);
    dataset = OpenDataset(options);
  });
  nlohmann::json compared = ToJson(options);
  compared["dataset_digest"] = dataset->manifest().dataset_digest;
  RequireSameOptions(compared, control);
  return RunFolder::Open(options, control);
}

}  // namespace

RunState::RunState(const TrainOptions& options, const distributed::World& world, std::function<void(Section)> enter)
    : options_(options),
      world_(world),
      enter_(std::move(enter)),
      place_(PrepareDevice(options, world)),
      device_(place_.device),
      control_(NewCommunicator(options.comm_timeout_seconds, world, "control", "cpu")),
      gradients_(NewCommunicator(options.comm_timeout_seconds, world, "gradients", device_.is_cuda() ? "cuda" : "cpu")),
      folder_(CheckThenOpenFolder(options, world, *control_, dataset_)),
      gan_(options.gan, device_, options.seed, gradients_),
      controller_(ResolveBalance(options)),
      faults_(options.inject, world.rank == world.size - 1),
      saver_(world.size > 1) {
  saves_ = NewCommunicator(options_.watchdog.save_seconds, world_, "checkpoints", "cpu");
  evaluation_ = NewCommunicator(options_.watchdog.evaluate_seconds, world_, "evaluation", "cpu");
  if (world_.rank == 0) cli::OpenLog("gan-train", folder_.Log());
  if (world_.rank == 0) cli::LogInfo("CPUs: " + place_.cpus);
  if (world_.rank == 0 && !gradients_->rendezvous().empty()) cli::LogInfo("GPUs: " + gradients_->rendezvous());
  OpenMetrics();
  BeginOrResume();
  faults_.BeginAt(step_ + 1 + rollbacks_.ForgottenSteps());
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
  plan.lr_d = options_.lr_d * scale * controls.base_scale_d * controls.lr_scale_d;
  plan.lr_g = options_.lr_g * scale * controls.base_scale_g * controls.lr_scale_g;
  plan.max_beta1 = controls.max_beta1;
  plan.labels = {options_.real_label, options_.fake_label};
  plan.loss = WithRemedies(options_.gan.loss, controls, controller_.options());
  plan.zero_centred_penalties = d_updates_ % plan.loss.penalty_every == 0;
  plan.seed = rollbacks_.Seed(options_.seed);
  if (options_.gan.augmentation == step::Augmentation::kDiff) plan.augment_probability = 1;
  if (options_.gan.augmentation == step::Augmentation::kAda) plan.augment_probability = ada_.probability();
  plan.augment_probability = std::max(plan.augment_probability, controls.augment);
  plan.judge_unaugmented = plan.augment_probability > 0 && step_ % kUnaugmentedEvery == 0;
  return plan;
}

void RunState::ChangeDiscriminatorAsDecided() {
  const std::int64_t width = options_.gan.network.d_width * controller_.controls().d_width;
  if (gan_.options.network.d_width < width) step::WidenDiscriminator(gan_, width, options_.seed);
  if (d_restarts_ == controller_.controls().d_restarts) return;
  d_restarts_ = controller_.controls().d_restarts;
  step::RestartDiscriminator(gan_, rollbacks_.Seed(options_.seed) + d_restarts_);
}

// The controllers' decisions on one row, which take effect in the next step.
void RunState::DecideOn(const Row& row, StepRecord& record) {
  ada_.Observe(row.sign_mean, row.images);
  for (auto& intervention : controller_.Observe(row.step, row.signals)) {
    record.interventions.push_back(std::move(intervention));
  }
  bad_steps_in_a_row_ = row.signals.finite ? 0 : bad_steps_in_a_row_ + 1;
}

bool RunState::IsDiverging() const {
  if (!row_ || controller_.options().mode == balance::Mode::kOff) return false;
  return !balance::IsFinite(row_->signals) ||
         balance::IsBlownUp(controller_.averages(), row_->signals, controller_.options());
}

StepRecord RunState::Step() {
  auto start = std::chrono::steady_clock::now();
  step::StepPlan plan = Plan();
  const std::uint64_t images_before = images_;
  StepRecord record;
  ChangeDiscriminatorAsDecided();
  // Faults on purpose strike once, whatever is trained again after a rollback.
  const std::uint64_t trained = step_ + 1 + rollbacks_.ForgottenSteps();
  faults_.Spoil(gan_, trained);
  faults_.Spoil(plan, trained);
  faults_.Delay(trained);
  record.local = step::TrainStep(gan_, plan, [&] { return faults_.Spoil(batches_->Next(), trained); });
  record.seen = Observe(record.local, plan.augment_probability > 0, StopRequested(), *control_);
  if (record.seen.auc < 0) record.seen.auc = auc_;
  auc_ = record.seen.auc;
  record.step = ++step_;
  if (plan.discriminator_phases > 0) ++d_updates_;
  record.images = images_ = batches_->cursor();
  gan_.ema.Update(*gan_.generator, images_ - images_before, images_);
  record.epoch = static_cast<double>(images_) / static_cast<double>(dataset_->size());
  record.lr_d = plan.lr_d;
  record.lr_g = plan.lr_g;
  record.augment_probability = plan.augment_probability;
  const auto before_quality = std::chrono::steady_clock::now();
  record.quality = quality_->Measure(gan_, step_);
  start += std::chrono::steady_clock::now() - before_quality;  // not of the step
  record.best = record.quality && quality_->best_step() == step_;
  balance::Signals signals =
      ToSignals(record.seen, record.local, loss::DiscriminatorRange(plan.loss.kind, plan.labels));
  signals.epoch = record.epoch;
  record.interventions = std::exchange(pending_, {});
  if (row_) DecideOn(*row_, record);
  diverged_in_a_row_ = IsDiverging() ? diverged_in_a_row_ + 1 : 0;  // still the row that was decided upon
  row_ = {step_, signals, 2 * record.seen.accuracy_real - 1, images_ - images_before};
  if (!signals.finite) {
    record.interventions.push_back({step_, "skip_step", "a gradient or a loss was not finite: the update is left out"});
  }
  record.verdict = controller_.verdict();
  if (record.verdict != balance::Verdict::kModeCollapse) bears_collapse_ = false;
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
  distributed::RequireEqualReplicas(tensors, *evaluation_, "weights, statistics and moments");
}

void RunState::SaveSamples() {
  OnRankZero(*evaluation_, [&] {
    torch::nn::Sequential generator = GeneratorForPictures(gan_, options_.seed);
    const torch::Tensor latents = FixedLatents(options_.seed, kGridPictures, options_.gan.network.noise_dim, device_);
    try {
      WriteGrid(folder_.Fakes(step_), Generate(generator, latents));
      recorder_->Picture("fakes", step_, folder_.Fakes(step_));
    } catch (const IoError& error) {
      cli::LogWarning(std::string(error.what()) + "; training goes on without the grid of step " +
                      std::to_string(step_));
    }
  });
}

void RunState::Tell(const std::string& state) {
  recorder_->Status(state);
  control_->Barrier();  // the first to leave would get the slow ones killed
  if (world_.rank != 0) return;
  cli::LogInfo(state + " after " + std::to_string(step_) + " steps, " + std::to_string(images_) + " images; " +
               folder_.path().string());
  if (controller_.verdict() == balance::Verdict::kModeCollapse) {
    cli::LogWarning("the result is a mode collapse: the pictures are far more alike than they were" +
                    (quality_->best_step()
                         ? "; the best checkpoint is that of step " + std::to_string(*quality_->best_step())
                         : std::string("; --quality-every N would have kept the best checkpoint")));
  }
}

}  // namespace gan::run
