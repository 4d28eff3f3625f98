// How a Trainer goes back to an older checkpoint of its own run, and completes it when the process was killed
// meanwhile.
#include "cli/log.h"
#include "storage/errors.h"
#include "trainer/run/agree.h"
#include "trainer/run/trainer.h"

namespace gan::run {

namespace {

// Rolling back to a state that has already diverged or collapsed would not help.
bool IsHealthy(const nlohmann::json& state) {
  const auto& verdict = state.at("balance").at("verdict");
  return verdict != "diverged" && verdict != "mode_collapse";
}

}  // namespace

// Returns whether a rollback was interrupted; it is completed here.
bool Trainer::ReadRollbackHistory() {
  std::string text;
  OnRankZero(*control_, [&] {
    if (std::filesystem::exists(folder_.Rollbacks())) text = storage::ReadFile(folder_.Rollbacks());
  });
  rollback_policy_.history() = Rollbacks::Parse(control_->Broadcast(text), folder_.Rollbacks());
  if (rollback_policy_.history().all().empty() || rollback_policy_.history().all().back().done) return false;
  // The process was killed during a rollback, so the new branch cannot have a checkpoint yet.
  OnRankZero(*control_,
             [&] { checkpoint::SetLaterAside(folder_.Checkpoints(), rollback_policy_.history().all().back().to); });
  rollback_policy_.history().Finish();
  WriteRollbackHistory();
  return true;
}

void Trainer::WriteRollbackHistory() {
  OnRankZero(*control_, [&] { storage::WriteFileAtomically(folder_.Rollbacks(), rollback_policy_.history().Text()); });
}

// The path of the newest intact checkpoint up to step `latest` whose state is healthy; empty if there is none.
std::string Trainer::FindHealthyCheckpoint(std::uint64_t latest) {
  std::string found;
  OnRankZero(*control_, [&] {
    for (const auto& folder : checkpoint::ListCheckpoints(folder_.Checkpoints())) {
      if (*checkpoint::ParseCheckpointFolderName(folder.filename().string()) > latest) continue;
      try {
        // Loaded as a whole, so that its digests are checked before the run depends on it.
        if (!IsHealthy(checkpoint::Load(folder).state)) continue;
        found = folder.string();
        return;
      } catch (const checkpoint::NewerVersionError&) {
        throw;
      } catch (const DataError& error) {
        cli::LogWarning(std::string(error.what()) + "; trying an older checkpoint");
      }
    }
  });
  return control_->Broadcast(found);
}

// The rollback is recorded first and marked as done at the end, so that the next start can complete it.
bool Trainer::RollBack() {
  enter_(Section::kSave);
  if (const auto before = saver_->Wait()) ReportSave(*before);
  const std::string cause = rollback_policy_.Cause(step_, controller_);
  const balance::Verdict verdict = controller_.verdict();
  const bool exhausted = rollback_policy_.IsExhausted(step_);
  const std::string target = exhausted ? "" : FindHealthyCheckpoint(rollback_policy_.NewestTarget(step_, verdict));
  if (target.empty()) {
    rollback_policy_.GiveUpFor(step_, verdict);
    if (world_.rank == 0) {
      cli::LogWarning("step " + std::to_string(step_) + ": " + cause + ", and " +
                      (exhausted ? "this run has been rolled back " + std::to_string(Rollbacks::kMost) +
                                       " times within " + std::to_string(Rollbacks::kRemembered) + " steps already"
                                 : "there is no healthy checkpoint to go back to"));
    }
    return false;
  }
  std::optional<checkpoint::Checkpoint> saved;
  OnAllRanks(*control_, [&] { saved = checkpoint::LoadTogether(target, RankGroupOf(*control_)); });
  // Written before anything changes: a process that is killed from here on finds the entry and completes the rollback.
  rollback_policy_.history().Begin({step_, saved->step, cause, false});
  WriteRollbackHistory();
  unpublished_.push_back(
      {step_, "rollback",
       cause + ": back to step " + std::to_string(saved->step) + ", with other noise from there on"});
  OnAllRanks(*control_, [&] { Restore(*saved); });
  saver_->set_last_saved_step(saved->step);
  AbandonLaterGrids();
  AbandonLaterCheckpoints();
  MeasureAgain(*saved);
  lineage_ = control_->Broadcast(NewLineage());  // other noise means another history, even if no checkpoint was renamed
  rollback_policy_.history().Finish();
  WriteRollbackHistory();
  OpenRecorderAndBatches();
  return true;
}

}  // namespace gan::run
