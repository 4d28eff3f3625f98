#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "checkpoint/background.h"
#include "checkpoint/checkpoint.h"
#include "trainer/balance/balance.h"
#include "trainer/data/loader.h"
#include "trainer/run/batches.h"
#include "trainer/run/checkpoint_state.h"
#include "trainer/run/device.h"
#include "trainer/run/faults.h"
#include "trainer/run/options.h"
#include "trainer/run/quality_watch.h"
#include "trainer/run/recorder.h"
#include "trainer/run/rollbacks.h"
#include "trainer/run/run_folder.h"
#include "trainer/step/ada.h"
#include "trainer/step/train_step.h"

namespace gan::run {

// A run in the making: all that lives from one step to the next. The loop (train.cpp) says when, this says how.
// Every member function is collective over the world. Not thread-safe.
class RunState {
 public:
  // Opens data, run folder, communicators and metrics, makes the networks, and takes up the newest checkpoint.
  // `enter` is called, as a sign of life, where a part begins that has a time-out of its own.
  RunState(const TrainOptions& options, const distributed::World& world, std::function<void(Section)> enter);

  bool Finished() const;
  // One step: next batch, D phase, G phase, observation, verdict, record.
  StepRecord Step();
  // No finite update for so long that going on is a waste, or one divergence after the other.
  bool Diverged() const {
    return bad_steps_in_a_row_ >= kMostBadSteps || diverged_in_a_row_ >= kMostDivergedSteps || given_up_;
  }
  // Whether the newest step was not finite or had a loss that has blown up: a run that ends so has failed, whether it
  // was to act or to watch. (The verdict lasts for some steps longer.)
  bool IsDiverging() const;

  // The step just done says that the run should go back to an older checkpoint.
  bool WantsRollback() const { return !RollbackCause().empty(); }
  // Goes back to the newest healthy checkpoint; false, and told in the log, when there is none or it was done too
  // often.
  bool RollBack();

  void RequireEqualReplicas();
  void SaveSamples();
  // Copies the state and leaves the writing to another thread; waits for the save before if that is not done. A failure
  // is told and counted; training goes on with the previous checkpoint.
  void SaveCheckpoint();
  // Tells of the save in flight once it has ended. Not collective.
  void TellOfSave();
  // The last one before the end: a failure is an error, but false when the state is not finite and must not be saved.
  // Nothing is written when this step is saved already.
  bool SaveLast();
  bool HasCheckpoint() const { return last_saved_step_.has_value(); }
  void Tell(const std::string& state);
  const std::filesystem::path& folder() const { return folder_.path(); }

 private:
  static constexpr std::uint32_t kMostBadSteps = 20;
  static constexpr std::uint32_t kMostDivergedSteps = 100;
  static constexpr std::uint64_t kNextTry = 50;  // steps before a rollback that found no checkpoint is tried again
  static constexpr std::uint64_t kUnaugmentedEvery = 20;  // steps; what it costs is a twentieth of two forwards of D

  // What the step just done showed. It is decided upon after the next step, so that on a GPU the next step can be
  // queued before these numbers are read.
  struct Row {
    std::uint64_t step = 0;
    balance::Signals signals;
    double sign_mean = 0;  // of D on reals
    std::uint64_t images = 0;
  };

  void OpenData();
  void OpenMetrics();
  void BeginOrResume();
  std::optional<checkpoint::Checkpoint> FindCheckpoint();
  void Resume(const checkpoint::Checkpoint& saved);
  void TakeWidth(std::int64_t width);
  void LeaveBranch();
  void LeaveGrids();
  void TakeUp();
  // True when the process before was killed while it went back.
  bool ReadRollbacks();
  void WriteRollbacks();
  std::filesystem::path FindHealthy(std::uint64_t latest);
  std::string RollbackCause() const;
  bool MustBearCollapse() const;
  void ChangeDiscriminatorAsDecided();
  void DecideOn(const Row& row, StepRecord& record);
  nlohmann::json SaveRow() const;
  void RestoreRow(const nlohmann::json& state);
  void BeginNew();
  void WriteFirstPictures();
  nlohmann::json Identity() const;
  step::StepPlan Plan() const;
  double FractionDone() const;
  std::uint64_t GlobalBatch() const;
  void TakeSnapshot();
  void StartSave();
  // Waits for the save in flight, if there is one, and tells of it.
  void FinishSave();
  void Conclude(const checkpoint::Outcome& outcome);

  const TrainOptions& options_;
  const distributed::World& world_;
  const std::function<void(Section)> enter_;
  const Place place_;
  torch::Device device_;
  std::shared_ptr<distributed::Communicator> control_;    // agreement, observation: always over MPI
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
  std::uint64_t d_updates_ = 0;               // steps in which D was trained: the turns of lazy penalties
  std::optional<std::uint64_t> stats_bytes_;  // of stats.jsonl at the step that was resumed from, when it is known
  std::string lineage_;
  Rollbacks rollbacks_;
  std::vector<balance::Intervention> pending_;  // for the next record
  std::optional<Row> row_;
  double auc_ = 0.5;  // the newest on images without augmentation
  std::uint32_t bad_steps_in_a_row_ = 0;
  std::uint32_t diverged_in_a_row_ = 0;  // diverging steps
  std::uint32_t d_restarts_ = 0;         // of those that the controller asks for, how many are done
  bool given_up_ = false;                // rolled back too often
  bool bears_collapse_ = false;          // there was no way back from the one that lasts
  std::uint64_t no_way_back_until_ = 0;  // step before which no healthy checkpoint is looked for again
  std::optional<std::uint64_t> last_saved_step_;
  std::optional<Batches> batches_;
  std::optional<Recorder> recorder_;
  // The save in flight. What it uses is shared with it.
  std::shared_ptr<distributed::Communicator> saves_;  // with the time-out of saving
  std::shared_ptr<Snapshot> snapshot_;
  std::uint64_t saving_step_ = 0;
  double pause_seconds_ = 0;
  checkpoint::BackgroundSaver saver_;
};

}  // namespace gan::run
