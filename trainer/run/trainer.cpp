#include "trainer/run/trainer.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <utility>

#include "cli/build_facts.h"
#include "cli/flags.h"
#include "cli/log.h"
#include "monitoring/http_access.h"
#include "storage/counted.h"
#include "storage/errors.h"
#include "storage/folder_name.h"
#include "storage/host_name.h"
#include "trainer/distributed/collective_note.h"
#include "trainer/distributed/cuda.h"
#include "trainer/distributed/replicas.h"
#include "trainer/loss/adversarial.h"
#include "trainer/run/agree.h"
#include "trainer/run/classes_of_run.h"
#include "trainer/run/flags_of_run.h"
#include "trainer/run/observe.h"
#include "trainer/run/same_options.h"
#include "trainer/run/samples.h"
#include "trainer/run/stop_signal.h"

namespace gan::run {

namespace {

constexpr double kGradientPenalty = 10;  // lambda of WGAN-GP when the options do not set it

constexpr std::uint64_t kNever = std::uint64_t{10} * 365 * 24 * 3600;  // seconds

// A communicator with its own time-out: ranks may wait longer for saving or evaluating than for a step. 0 means no
// time-out.
std::shared_ptr<distributed::Communicator> NewCommunicator(std::uint64_t timeout_seconds,
                                                           const distributed::World& world, const std::string& purpose,
                                                           const std::string& device) {
  const std::uint64_t seconds = timeout_seconds == 0 ? kNever : std::min(timeout_seconds, kNever);
  return distributed::Communicator::Create(world, purpose, device, std::chrono::seconds(seconds));
}

// The configured losses with the changes that the balance controller has decided.
loss::LossOptions WithBalanceActions(loss::LossOptions loss, const balance::Controls& controls,
                                     const balance::BalanceOptions& options) {
  if (controls.r1) loss.r1 = std::max(loss.r1, options.r1_gamma);
  if (controls.feature_matching) loss.feature_matching = std::max(loss.feature_matching, options.matching_weight);
  if (!controls.wgan_gp) return loss;
  loss.kind = loss::Kind::kWganGp;
  if (loss.gradient_penalty <= 0) loss.gradient_penalty = kGradientPenalty;
  return loss;
}

// All checks come first, so that a run with a mistake in its flags creates no folder.
RunFolder CheckThenOpenFolder(const TrainOptions& options, const distributed::World& world,
                              distributed::Communicator& control, std::shared_ptr<const data::Dataset>& dataset,
                              data::Classes& classes) {
  OnAllRanks(control, [&] {
    Validate(options, world.size);
    Notifier::Check(options, world);
    dataset = OpenDataset(options);
    classes = ClassesOf(options, *dataset);
  });
  nlohmann::json compared = ToJson(options);
  compared["dataset_digest"] = dataset->manifest().dataset_digest;
  compared["classes"] = ToJson(classes);
  RequireSameOptions(compared, control);
  return RunFolder::Open(options, control);
}

// Graphs record one all-reduce per network. The Reducer of bucketed gradients measures its own speed, which a recording
// would contain.
step::GanOptions GanOptionsOf(const TrainOptions& options, const data::Classes& classes) {
  step::GanOptions gan = WithClasses(options.gan, classes);
  if (RecordsSteps(options)) gan.gradients.path = distributed::SyncPath::kFlat;
  return gan;
}

}  // namespace

Trainer::Trainer(const TrainOptions& options, const distributed::World& world, std::function<void(Section)> enter)
    : options_(options),
      world_(world),
      enter_(std::move(enter)),
      place_(PrepareDevice(options, world)),
      device_(place_.device),
      // Control messages always use MPI, gradients the backend of the device.
      control_(NewCommunicator(options.comm_timeout_seconds, world, "control", "cpu")),
      gradients_(NewCommunicator(options.comm_timeout_seconds, world, "gradients", device_.is_cuda() ? "cuda" : "cpu")),
      folder_(CheckThenOpenFolder(options, world, *control_, dataset_, classes_)),
      gan_(GanOptionsOf(options, classes_), device_, options.seed, gradients_),
      controller_(ResolveBalance(options)),
      faults_(options.inject, world.rank == world.size - 1) {
  distributed::NoteHosts(control_->AllGather(storage::HostName()));
  gan_.classes = classes_;
  class_watch_.emplace(classes_);
  if (RecordsSteps(options)) recorded_steps_.emplace(gan_, distributed::RecordCudaGraph);
  // Communicators of their own for saving and evaluating: a thread saves while training exchanges gradients, and one
  // MPI communicator must not be used by two threads at once.
  saver_.emplace(folder_.Checkpoints(), options_.keep,
                 NewCommunicator(options_.watchdog.save_seconds, world_, "checkpoints", "cpu"));
  evaluation_ = NewCommunicator(options_.watchdog.evaluate_seconds, world_, "evaluation", "cpu");
  // Only now, because a run that is refused must not write into the folder of another one.
  if (world_.rank == 0) cli::OpenLog("gan-train", folder_.Log());
  if (world_.rank == 0) cli::LogInfo("CPUs: " + place_.cpus);
  if (world_.rank == 0) LogChosen();
  if (world_.rank == 0 && !gradients_->rendezvous().empty()) cli::LogInfo("GPUs: " + gradients_->rendezvous());
  OpenMetrics();
  OnAllRanks(*control_, [&] { notifier_ = std::make_unique<Notifier>(options, world, folder_.path(), *metrics_); });
  BeginOrResume();
  // Faults count trained steps, including those that a rollback has discarded.
  faults_.BeginAt(step_ + 1 + rollback_policy_.history().ForgottenSteps());
}

void Trainer::LogChosen() const {
  for (const Chosen& one : options_.chosen) cli::LogInfo(InWords(one));
}

void Trainer::OpenMetrics() {
  monitoring::MetricsOptions metrics;
  metrics.address = options_.metrics_address;
  metrics.port = cli::MetricsPort(options_.metrics_port);
  const bool wanted = metrics.port >= 0;
  metrics.rank = world_.rank;
  metrics.local_rank = world_.local_rank;
  metrics.constant_labels = {{"run", storage::NameOfFolder(folder_.path())}};
  metrics.interventions = balance::kActions;
  metrics.build_facts = {{"device", device_.is_cuda() ? "cuda" : "cpu"}};
  OnAllRanks(*control_, [&] {
    if (wanted && !options_.metrics_password_file.empty()) {
      metrics.credentials = monitoring::ReadCredentials(options_.metrics_password_file);
    }
  });
  metrics_ = std::make_unique<monitoring::Metrics>(metrics);
  if (wanted && !metrics_->serving()) cli::LogWarning("no metrics: " + metrics_->why() + "; training continues");
  if (metrics_->serving() && world_.rank == 0) {
    const std::string warning = monitoring::OpenAccessWarning({.listens_on = metrics.address,
                                                               .reached_at = metrics_->address(),
                                                               .credentials = metrics.credentials,
                                                               .shows = "this run's metrics and images",
                                                               .password_flag = "--metrics-password-file"});
    if (!warning.empty()) cli::LogWarning(warning);
  }
  // The addresses of all ranks, for Prometheus's file-based service discovery.
  std::vector<std::string> targets;
  for (const std::string& address : control_->AllGather(metrics_->serving() ? metrics_->address() : "")) {
    if (!address.empty()) targets.push_back(address);
  }
  OnRankZero(*control_, [&] {
    monitoring::WriteTargetsFile(folder_.Targets().string(), targets,
                                 {{"job", "gan-train"}, {"run", storage::NameOfFolder(folder_.path())}});
  });
}

void Trainer::WriteFirstImages() {
  OnRankZero(*control_, [&] {
    WriteGrid(folder_.Reals(), FirstReals(*dataset_, classes_, options_.gan.network.resolution));
    recorder_->Picture("reals", step_, folder_.Reals());
  });
}

std::uint64_t Trainer::GlobalBatch() const {
  return batches_of_step_.batch * batches_of_step_.micro_batches * static_cast<std::uint64_t>(world_.size);
}

bool Trainer::Finished() const { return FractionDone() >= 1 || quality_->HasReachedBest(); }

// A run has exactly one kind of length; a data set's size in epochs is converted to images.
double Trainer::FractionDone() const {
  if (options_.steps > 0) return static_cast<double>(step_) / static_cast<double>(options_.steps);
  return static_cast<double>(images_) / TotalImages(options_, dataset_->size());
}

// Combines the configuration with the controller's decisions. This step's plan is the same on all ranks.
step::StepPlan Trainer::PlanStep(const step::StepNumbers& numbers) const {
  const balance::Controls& controls = controller_.controls();
  step::StepPlan plan;
  plan.discriminator_phases =
      (step_ + 1) % controls.d_every == 0 ? static_cast<std::uint32_t>(options_.d_steps) * controls.d_steps : 0;
  plan.micro_batches = batches_of_step_.micro_batches;
  plan.train_generator = controls.freeze_g_steps == 0;
  plan.max_beta1 = controls.max_beta1;
  plan.labels = {options_.real_label, options_.fake_label};
  plan.loss = WithBalanceActions(options_.gan.loss, controls, controller_.options());
  // Lazy regularisation counts updates of D, not steps.
  plan.zero_centred_penalties = d_updates_ % plan.loss.penalty_every == 0;
  plan.augment = numbers.augment_probability > 0;
  // D's AUC without augmentation costs two further forwards, so it is measured now and then only.
  plan.evaluate_unaugmented = plan.augment && step_ % kUnaugmentedEvery == 0;
  return plan;
}

step::StepNumbers Trainer::NumbersOfStep() const {
  const balance::Controls& controls = controller_.controls();
  const double scale = step::LearningRateScale(options_.schedule, step_ + 1, FractionDone());
  double probability = 0;
  if (options_.gan.augmentation == step::Augmentation::kDiff) probability = 1;
  if (options_.gan.augmentation == step::Augmentation::kAda) probability = ada_.probability();
  return {.lr_d = options_.lr_d * scale * controls.base_scale_d * controls.lr_scale_d,
          .lr_g = options_.lr_g * scale * controls.base_scale_g * controls.lr_scale_g,
          .augment_probability = std::max(probability, controls.augment)};
}

// Widening and restarting change D itself, so they cannot be part of a plan.
void Trainer::ChangeDiscriminatorAsDecided() {
  const std::int64_t width = options_.gan.network.d_width * controller_.controls().d_width;
  const bool widens = gan_.options.network.d_width < width, restarts = d_restarts_ != controller_.controls().d_restarts;
  if ((widens || restarts) && recorded_steps_) recorded_steps_->Forget();
  if (widens) step::WidenDiscriminator(gan_, width, options_.seed);
  if (!restarts) return;
  d_restarts_ = controller_.controls().d_restarts;
  step::RestartDiscriminator(gan_, rollback_policy_.history().Seed(options_.seed) + d_restarts_);
}

// `trained`: number of the step among all that were trained, including discarded ones.
step::StepResult Trainer::Train(const step::StepPlan& plan, const step::StepNumbers& numbers, std::uint64_t trained) {
  const step::BatchSource next_batch = [&] { return faults_.Inject(batches_->Next(), trained); };
  if (recorded_steps_) return recorded_steps_->Run(plan, numbers, next_batch);
  return step::TrainStep(gan_, plan, numbers, next_batch);
}

// The decisions of the controllers on one step. They take effect in the next step.
void Trainer::DecideOnUndecided(StepRecord& record) {
  const UndecidedStep& done = *undecided_;
  ada_.Observe(done.sign_mean, done.images);
  for (auto& intervention : controller_.Observe(done.step, done.signals)) {
    record.interventions.push_back(std::move(intervention));
  }
  rollback_policy_.Observe(done.signals.finite, IsDiverging(), controller_.verdict());
}

bool Trainer::IsDiverging() const {
  if (!undecided_ || controller_.options().mode == balance::Mode::kOff) return false;
  return !balance::IsFinite(undecided_->signals) ||
         balance::IsBlownUp(controller_.averages(), undecided_->signals, controller_.options());
}

// The step's numbers are decided upon in the next call, so that a GPU does not wait for the decision. The record of
// this step therefore contains the interventions that followed from the step before.
StepRecord Trainer::Step() {
  const auto start = std::chrono::steady_clock::now();
  const step::StepNumbers numbers = NumbersOfStep();
  step::StepPlan plan = PlanStep(numbers);
  const std::uint64_t images_before = images_;
  StepRecord record;
  ChangeDiscriminatorAsDecided();
  // A fault is injected once, even if a rollback causes its step to be trained again.
  const std::uint64_t trained = step_ + 1 + rollback_policy_.history().ForgottenSteps();
  faults_.Inject(gan_, trained);
  faults_.Inject(plan, trained);
  faults_.Delay(trained);
  record.local = Train(plan, numbers, trained);
  record.seen = Observe(record.local, plan.augment, StopRequested(), *control_);
  record.about_classes = class_watch_->Observe(record.local, *control_);
  record.classes = class_watch_->Numbers();
  record.classes_collapsed = class_watch_->collapsed();
  record.classes_separated = class_watch_->separated();
  // Without a new measurement, the last AUC without augmentation stays.
  if (record.seen.auc < 0) record.seen.auc = auc_;
  auc_ = record.seen.auc;
  record.step = ++step_;
  if (plan.discriminator_phases > 0) ++d_updates_;
  record.images = images_ = batches_->cursor();
  gan_.ema.Update(*gan_.generator, images_ - images_before, images_);
  record.epoch = static_cast<double>(images_) / static_cast<double>(dataset_->size());
  record.lr_d = numbers.lr_d;
  record.lr_g = numbers.lr_g;
  record.augment_probability = numbers.augment_probability;
  MeasureQuality(record);
  balance::Signals signals = ToSignals(record.seen, record.local, loss::LossOf(plan.loss.kind).range(plan.labels));
  signals.epoch = record.epoch;
  record.interventions = std::exchange(unpublished_, {});
  if (undecided_) DecideOnUndecided(record);
  // The mean sign of D on real images, for ADA: accuracy is the fraction of positive outputs.
  undecided_ = {step_, signals, 2 * record.seen.accuracy_real - 1, images_ - images_before};
  if (!signals.finite) {
    record.interventions.push_back({step_, "skip_step", "a gradient or a loss was not finite: the update was skipped"});
  }
  record.verdict = controller_.verdict();
  record.collapse_foretold = controller_.IsCollapseForetold();
  record.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  record.images_per_second = static_cast<double>(images_ - images_before) / record.seconds;
  Publish(record);
  return record;
}

// A record has room for one measurement.
void Trainer::MeasureQuality(StepRecord& record) {
  const bool is_last = FractionDone() >= 1;
  record.quality = quality_->Take(step_, is_last);
  if (record.quality && is_last) return;
  record.is_measured = quality_->Begin(gan_, step_, images_);
  if (record.is_measured && !record.quality) record.quality = quality_->Take(step_, is_last);
}

void Trainer::Publish(const StepRecord& record) {
  recorder_->Step(record, FractionDone());
  notifier_->Step(record);
  recorder_->Traffic(gradients_->traffic(), batches_->wait_seconds());
  if (const std::uint64_t corrupt = batches_->corrupt_records(); corrupt > 0) {
    recorder_->CorruptRecords(corrupt, batches_->last_corrupt());
  }
  if (recorder_->RanksAreDue(step_)) recorder_->Ranks(control_->AllGather(recorder_->MyTimes()));
}

void Trainer::RequireEqualReplicas() {
  std::vector<torch::Tensor> tensors;
  for (auto& [name, tensor] : gan_.NamedState()) tensors.push_back(tensor);
  distributed::RequireEqualReplicas(tensors, *evaluation_, "weights, statistics and moments");
}

// Only rank 0 generates, but all ranks wait, because the next step needs them all.
void Trainer::SaveSamples() {
  OnRankZero(*evaluation_, [&] {
    torch::nn::Sequential generator = GeneratorForPictures(gan_, options_.seed);
    try {
      const auto mark = options_.mark ? std::optional(MarkOf(generator, step_, options_.seed)) : std::nullopt;
      WriteGrid(folder_.Fakes(step_), FixedFakes(gan_, generator, options_.seed), mark);
      recorder_->Picture("fakes", step_, folder_.Fakes(step_));
    } catch (const IoError& error) {
      cli::LogWarning(std::string(error.what()) + "; training continues without the grid of step " +
                      std::to_string(step_));
    }
  });
}

// For a run that --stop-when best has ended. The checkpoint can be absent, because a full disk does not end a run.
std::string Trainer::HowBestEnded(const std::string& state) const {
  if (state != "finished" || !quality_->HasReachedBest()) return "";
  const auto best = checkpoint::CheckpointFolderName(folder_.Checkpoints(), *quality_->best_step());
  return "; " + quality_->best().Describe() + " (--stop-when best), " +
         (std::filesystem::exists(best) ? "and its checkpoint is " + best.string()
                                        : "but its checkpoint could not be saved") +
         "; --stop-when length or a larger --patience trains on";
}

void Trainer::ReportEnd(const std::string& state) {
  recorder_->Status(state, quality_->HasReachedBest() ? "best" : "length");
  notifier_->End(state, step_, images_);
  control_->Barrier();  // when one rank exits, mpirun kills the ranks that are still working
  if (world_.rank != 0) return;
  cli::LogInfo(state + " after " + storage::Counted(step_, "step") + ", " + storage::Counted(images_, "image") + "; " +
               folder_.path().string() + HowBestEnded(state));
  if (controller_.verdict() == balance::Verdict::kModeCollapse) {
    cli::LogWarning("the result is a mode collapse: the generated images are far more alike than before" +
                    (quality_->best_step()
                         ? "; the best checkpoint is that of step " + std::to_string(*quality_->best_step())
                         : std::string("; --quality-every N would have kept the best checkpoint")));
  }
}

nlohmann::json Trainer::SaveUndecidedStep() const {
  nlohmann::json state = {{"auc", auc_}};
  if (undecided_) {
    state.update({{"step", undecided_->step},
                  {"signals", undecided_->signals},
                  {"sign_mean", undecided_->sign_mean},
                  {"images", undecided_->images}});
  }
  return state;
}

// Everything that the next step depends on; a resumed run continues bit for bit.
SavedState Trainer::StateToSave() const {
  SavedState saved;
  saved.step = step_;
  saved.images = images_;
  saved.lineage = lineage_;
  saved.state = {{"options", Identity()},       {"balance", controller_.Save()},
                 {"ada", ada_.Save()},          {"row", SaveUndecidedStep()},
                 {"quality", quality_->Save()}, {"d_restarts", d_restarts_},
                 {"d_updates", d_updates_},     {"stats_bytes", recorder_->StatsBytes()},
                 {"flags", ToJson(options_)},   {"build", cli::BuildFacts()}};
  if (!classes_.empty()) {
    saved.state["classes"] = ToJson(classes_);
    saved.state["class_watch"] = class_watch_->Save();
  }
  rollback_policy_.SaveTo(saved.state);
  saved.tensors = gan_.NamedState();
  saved.before_commit = recorder_->StatsSync();
  saved.best = quality_->best_step();
  return saved;
}

void Trainer::ReportSave(const SaveReport& report) {
  // Only known kinds of failure are survived; any other exception ends the run.
  if (report.saved) return recorder_->Checkpoint(*report.saved, report.pause_seconds);
  try {
    std::rethrow_exception(report.error);
  } catch (const IoError& error) {
    recorder_->CheckpointFailed(error.what());
  } catch (const DataError& error) {
    recorder_->CheckpointFailed(error.what());
  }
}

void Trainer::ReportFinishedSave() {
  if (const auto report = saver_->Poll()) ReportSave(*report);
}

void Trainer::SaveCheckpoint() {
  enter_(Section::kSave);
  if (const auto before = saver_->Save(StateToSave())) ReportSave(*before);
}

bool Trainer::SaveLast() {
  enter_(Section::kSave);
  if (const auto before = saver_->Wait()) ReportSave(*before);
  if (saver_->last_saved_step() == step_) return true;
  saver_->Save(StateToSave());
  const SaveReport report = *saver_->Wait();
  if (report.error) {
    try {
      std::rethrow_exception(report.error);
    } catch (const DataError& error) {  // a weight is not finite
      recorder_->CheckpointFailed(error.what());
      return false;
    }
  }
  ReportSave(report);
  return true;
}

}  // namespace gan::run
