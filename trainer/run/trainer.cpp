#include "trainer/run/trainer.h"

#include <algorithm>
#include <utility>

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
#include "trainer/run/agree.h"
#include "trainer/run/classes_of_run.h"
#include "trainer/run/same_options.h"
#include "trainer/run/samples.h"

namespace gan::run {

namespace {

constexpr std::uint64_t kNever = std::uint64_t{10} * 365 * 24 * 3600;  // seconds

// A communicator with its own time-out: ranks may wait longer for saving or evaluating than for a step. 0 means no
// time-out.
std::shared_ptr<distributed::Communicator> NewCommunicator(std::uint64_t timeout_seconds,
                                                           const distributed::World& world, const std::string& purpose,
                                                           const std::string& device) {
  const std::uint64_t seconds = timeout_seconds == 0 ? kNever : std::min(timeout_seconds, kNever);
  return distributed::Communicator::Create(world, purpose, device, std::chrono::seconds(seconds));
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

// A run has exactly one kind of length; a length in epochs is converted to images.
double Trainer::FractionDone() const {
  if (options_.steps > 0) return static_cast<double>(step_) / static_cast<double>(options_.steps);
  return static_cast<double>(images_) / TotalImages(options_, dataset_->size());
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

}  // namespace gan::run
