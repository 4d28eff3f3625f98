// The part of Trainer that saves checkpoints, and reports saves that have ended.
#include "cli/build_facts.h"
#include "storage/errors.h"
#include "trainer/run/classes_of_run.h"
#include "trainer/run/flags_of_run.h"
#include "trainer/run/trainer.h"

namespace gan::run {

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
