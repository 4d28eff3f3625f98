#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "checkpoint/checkpoint.h"
#include "trainer/balance/balance.h"
#include "trainer/data/classes.h"
#include "trainer/data/loader.h"
#include "trainer/run/batches.h"
#include "trainer/run/checkpoint_saver.h"
#include "trainer/run/class_watch.h"
#include "trainer/run/device.h"
#include "trainer/run/faults.h"
#include "trainer/run/notifier.h"
#include "trainer/run/options.h"
#include "trainer/run/quality_watch.h"
#include "trainer/run/recorder.h"
#include "trainer/run/rollback_policy.h"
#include "trainer/run/run_folder.h"
#include "trainer/step/ada.h"
#include "trainer/step/recorded_steps.h"
#include "trainer/step/train_step.h"

namespace gan::run {

// The state of a training run: everything that lives from one step to the next. The loop in train.cpp decides when
// something happens; this class implements how. Every member function is collective over the world, except where noted.
// Not thread-safe.
class Trainer {
 public:
  // Opens data, run folder, communicators and metrics, creates the networks, and resumes from the newest checkpoint if
  // there is one. `enter` is called as a sign of life at the beginning of each section that has its own time-out
  // (watchdog.h). Throws UsageError, DataError and IoError.
  Trainer(const TrainOptions& options, const distributed::World& world, std::function<void(Section)> enter);

  bool Finished() const;
  // One step: next batch, discriminator phase, generator phase, measurements, verdict, record.
  StepRecord Step();

  // Whether the run should end because further training would be useless.
  bool Diverged() const { return rollback_policy_.MustEnd(); }
  // Whether the newest step was not finite or had a loss that blew up. A run that ends in this state has failed, in the
  // mode act as well as in watch. (The verdict `diverged` stays for some steps longer.)
  bool IsDiverging() const;
  // Whether the last step calls for a rollback to an older checkpoint.
  bool WantsRollback() const { return !rollback_policy_.Cause(step_, controller_).empty(); }
  // Rolls back to the newest healthy checkpoint. Returns false, with a line in the log, when there is none or when the
  // run has rolled back too often.
  bool RollBack();

  // Throws when weights, statistics or moments differ between the ranks.
  void RequireEqualReplicas();
  void SaveSamples();
  // Copies the state and lets another thread write it. Waits for the previous save first. A failure is logged and
  // counted, and training continues with the previous checkpoint.
  void SaveCheckpoint();
  // Logs and publishes a save that has ended since the last call. Not collective.
  void ReportFinishedSave();
  // The last save before the end of the run. A failure is an error. Returns false without saving when the state is not
  // finite. Writes nothing when this step is already saved.
  bool SaveLast();
  bool HasCheckpoint() const { return saver_->last_saved_step().has_value(); }
  // Logs and publishes how the run ended: "finished", "stopped" or "diverged".
  void ReportEnd(const std::string& state);
  const std::filesystem::path& folder() const { return folder_.path(); }
  Notifier& notifier() { return *notifier_; }

 private:
  static constexpr std::uint64_t kUnaugmentedEvery = 20;  // steps; costs a twentieth of two forwards of D

  // The result of the last step. The controller decides on it after the following step, so that on a GPU that step can
  // be queued before the numbers are read.
  struct UndecidedStep {
    std::uint64_t step = 0;
    balance::Signals signals;
    double sign_mean = 0;  // mean of sign(D(x)) over real images
    std::uint64_t images = 0;
  };

  // The start of a run (trainer_resume.cpp).
  void LogChosen() const;
  void OpenMetrics();
  void BeginOrResume();
  void AnnounceStart();
  std::optional<checkpoint::Checkpoint> FindCheckpoint();
  bool IsOfThisRun(const checkpoint::Checkpoint& saved) const;
  std::optional<checkpoint::Checkpoint> LoadNamedCheckpoint();
  void Restore(const checkpoint::Checkpoint& saved);
  void MeasureAgain(const checkpoint::Checkpoint& saved);
  void LogResume(const checkpoint::Checkpoint& saved) const;
  void RestoreUndecidedStep(const nlohmann::json& state);
  void RebuildDiscriminator(std::int64_t width);
  void AbandonLaterCheckpoints();
  void LeaveLineageOf(const checkpoint::Checkpoint& saved);
  void AbandonLaterGrids();
  void OpenRecorderAndBatches();
  void BeginNew();
  void WriteFirstImages();
  nlohmann::json Identity() const;
  static std::string NewLineage();  // names a branch of a run (checkpoint::SetLaterAside)

  // Rollbacks (trainer_rollback.cpp).
  bool ReadRollbackHistory();
  void WriteRollbackHistory();
  std::string FindHealthyCheckpoint(std::uint64_t latest);

  // One step (trainer_step.cpp).
  step::StepPlan PlanStep(const step::StepNumbers& numbers) const;
  step::StepNumbers NumbersOfStep() const;
  void ChangeDiscriminatorAsDecided();
  step::StepResult Train(const step::StepPlan& plan, const step::StepNumbers& numbers, std::uint64_t trained);
  void DecideOnUndecided(StepRecord& record);
  void MeasureQuality(StepRecord& record);
  void Publish(const StepRecord& record);
  double FractionDone() const;
  std::string HowBestEnded(const std::string& state) const;
  std::uint64_t GlobalBatch() const;

  // Saving (trainer_save.cpp).
  SavedState StateToSave() const;
  nlohmann::json SaveUndecidedStep() const;
  void ReportSave(const SaveReport& report);

  const TrainOptions& options_;
  const distributed::World& world_;
  const std::function<void(Section)> enter_;
  const Place place_;
  torch::Device device_;
  std::shared_ptr<distributed::Communicator> control_;    // for decisions and measurements; always over MPI
  std::shared_ptr<distributed::Communicator> gradients_;  // on the device
  std::shared_ptr<const data::Dataset> dataset_;
  data::Classes classes_;  // of a --conditional run
  RunFolder folder_;
  std::unique_ptr<monitoring::Metrics> metrics_;
  std::unique_ptr<Notifier> notifier_;
  step::Gan gan_;
  balance::Controller controller_;
  step::AdaController ada_;
  std::optional<ClassWatch> class_watch_;
  std::shared_ptr<distributed::Communicator> evaluation_;  // with the time-out of evaluations
  std::optional<QualityWatch> quality_;
  Faults faults_;

  BatchPlan batches_of_step_;
  std::uint64_t step_ = 0;
  std::uint64_t images_ = 0;                  // real images consumed by all ranks
  std::uint64_t d_updates_ = 0;               // steps in which D was trained; lazy regularisation counts these
  std::optional<std::uint64_t> stats_bytes_;  // length of stats.jsonl at the resumed step, when it is known
  std::string lineage_;
  RollbackPolicy rollback_policy_;
  std::vector<balance::Intervention> unpublished_;  // interventions for the next record
  std::optional<UndecidedStep> undecided_;
  double auc_ = 0.5;              // newest AUC on images without augmentation
  std::uint32_t d_restarts_ = 0;  // number of executed restarts of D, out of those that the controller has requested
  std::optional<Batches> batches_;
  std::optional<step::RecordedSteps> recorded_steps_;  // absent: every step is queued by the host
  std::optional<Recorder> recorder_;
  std::optional<CheckpointSaver> saver_;
};

}  // namespace gan::run
