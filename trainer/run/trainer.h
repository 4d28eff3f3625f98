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
#include "trainer/data/loader.h"
#include "trainer/run/batches.h"
#include "trainer/run/checkpoint_saver.h"
#include "trainer/run/device.h"
#include "trainer/run/faults.h"
#include "trainer/run/options.h"
#include "trainer/run/quality_watch.h"
#include "trainer/run/recorder.h"
#include "trainer/run/rollback_policy.h"
#include "trainer/run/run_folder.h"
#include "trainer/step/ada.h"
#include "trainer/step/train_step.h"

namespace gan::run {

// State of a training run: everything that lives from one step to the next. The loop in train.cpp says when something
// happens, this class says how. Every member function is collective over the world. Not thread-safe.
class Trainer {
 public:
  // Opens data, run folder, communicators and metrics, makes the networks, and resumes from the newest checkpoint where
  // there is one. `enter` is called as a sign of life where a part begins that has a time-out of its own. Throws
  // UsageError, DataError and IoError.
  Trainer(const TrainOptions& options, const distributed::World& world, std::function<void(Section)> enter);

  bool Finished() const;
  // One step: next batch, discriminator phase, generator phase, measurements, verdict, record.
  StepRecord Step();

  // Whether to end the run: going on would be a waste.
  bool Diverged() const { return rollback_policy_.MustEnd(); }
  // Whether the newest step was not finite or had a loss that has blown up: a run that ends so has failed, whether it
  // was to act or to watch. (The verdict lasts for some steps longer.)
  bool IsDiverging() const;
  // Whether the step just done asks for an older checkpoint.
  bool WantsRollback() const { return !rollback_policy_.Cause(step_, controller_).empty(); }
  // Goes back to the newest healthy checkpoint. False, with a line in the log, when there is none or when the run went
  // back too often.
  bool RollBack();

  // Throws when the ranks' weights, statistics or moments differ.
  void RequireEqualReplicas();
  void SaveSamples();
  // Copies the state and leaves the writing to another thread; waits for the save before if that is not done. A failure
  // is logged and counted; training goes on with the previous checkpoint.
  void SaveCheckpoint();
  // Logs and publishes a save that has ended since. Not collective.
  void ReportFinishedSave();
  // The last save before the end: a failure is an error, but false when the state is not finite and must not be saved.
  // Nothing is written when this step is saved already.
  bool SaveLast();
  bool HasCheckpoint() const { return saver_->last_saved_step().has_value(); }
  // Logs and publishes how the run ended: "finished", "stopped" or "diverged".
  void ReportEnd(const std::string& state);
  const std::filesystem::path& folder() const { return folder_.path(); }

 private:
  static constexpr std::uint64_t kUnaugmentedEvery = 20;  // steps; costs a twentieth of two forwards of D

  // What the step just done showed. It is decided upon after the next step, so that on a GPU the next step can be
  // queued before these numbers are read.
  struct UndecidedStep {
    std::uint64_t step = 0;
    balance::Signals signals;
    double sign_mean = 0;  // mean of sign(D(x)) over real images
    std::uint64_t images = 0;
  };

  // Where a run begins: trainer_resume.cpp.
  void OpenMetrics();
  void BeginOrResume();
  void AnnounceStart();
  std::optional<checkpoint::Checkpoint> FindCheckpoint();
  std::optional<checkpoint::Checkpoint> LoadNamedCheckpoint();
  void Restore(const checkpoint::Checkpoint& saved);
  void LogResume(const checkpoint::Checkpoint& saved) const;
  void RestoreUndecidedStep(const nlohmann::json& state);
  void RebuildDiscriminator(std::int64_t width);
  void AbandonLaterCheckpoints();
  void AbandonLaterGrids();
  void OpenRecorderAndBatches();
  void BeginNew();
  void WriteFirstImages();
  nlohmann::json Identity() const;

  // Going back.
  bool ReadRollbackHistory();
  void WriteRollbackHistory();
  std::string FindHealthyCheckpoint(std::uint64_t latest);

  // A step.
  step::StepPlan PlanStep() const;
  void ChangeDiscriminatorAsDecided();
  void Decide(const UndecidedStep& done, StepRecord& record);
  // Returns how long it took.
  std::chrono::steady_clock::duration MeasureQuality(StepRecord& record);
  void Publish(const StepRecord& record);
  double FractionDone() const;
  std::uint64_t GlobalBatch() const;

  // A save.
  SavedState StateToSave() const;
  nlohmann::json SaveUndecidedStep() const;
  void ReportSave(const SaveReport& report);

  const TrainOptions& options_;
  const distributed::World& world_;
  const std::function<void(Section)> enter_;
  const Place place_;
  torch::Device device_;
  std::shared_ptr<distributed::Communicator> control_;    // agreement and measurements: always over MPI
  std::shared_ptr<distributed::Communicator> gradients_;  // on the device
  std::shared_ptr<const data::Dataset> dataset_;
  RunFolder folder_;
  std::unique_ptr<monitoring::Metrics> metrics_;
  step::Gan gan_;
  balance::Controller controller_;
  step::AdaController ada_;
  std::shared_ptr<distributed::Communicator> evaluation_;  // with the time-out of evaluating
  std::optional<QualityWatch> quality_;
  Faults faults_;

  BatchPlan batches_of_step_;
  std::uint64_t step_ = 0;
  std::uint64_t images_ = 0;                  // real images consumed by all ranks
  std::uint64_t d_updates_ = 0;               // steps in which D was trained; lazy penalties count them
  std::optional<std::uint64_t> stats_bytes_;  // of stats.jsonl at the step that was resumed from, when it is known
  std::string lineage_;
  RollbackPolicy rollback_policy_;
  std::vector<balance::Intervention> unpublished_;  // interventions that the next record will hold
  std::optional<UndecidedStep> undecided_;
  double auc_ = 0.5;              // the newest on images without augmentation
  std::uint32_t d_restarts_ = 0;  // of those that the controller asks for, how many are done
  std::optional<Batches> batches_;
  std::optional<Recorder> recorder_;
  std::optional<CheckpointSaver> saver_;
};

}  // namespace gan::run
