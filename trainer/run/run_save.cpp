// How a run saves: a snapshot at a step boundary, written beside the training.
#include <chrono>
#include <utility>

#include "cli/build_facts.h"
#include "cli/log.h"
#include "storage/errors.h"
#include "trainer/run/checkpoint_state.h"
#include "trainer/run/run_state.h"

namespace gan::run {

void RunState::TakeSnapshot() {
  const model::NamedTensors state = gan_.NamedState();
  if (snapshot_ && snapshot_->Fits(state)) {
    snapshot_->Update(state);
  } else {
    snapshot_ = std::make_shared<Snapshot>(state);
  }
}

nlohmann::json RunState::SaveRow() const {
  nlohmann::json state = {{"auc", auc_}};
  if (row_) {
    state.update(
        {{"step", row_->step}, {"signals", row_->signals}, {"sign_mean", row_->sign_mean}, {"images", row_->images}});
  }
  return state;
}

void RunState::StartSave() {
  TakeSnapshot();
  checkpoint::SaveRequest request;
  request.step = saving_step_ = step_;
  request.images = images_;
  request.lineage = lineage_;
  request.state = {{"options", Identity()},
                   {"balance", controller_.Save()},
                   {"ada", ada_.Save()},
                   {"row", SaveRow()},
                   {"quality", quality_->Save()},
                   {"bad_steps_in_a_row", bad_steps_in_a_row_},
                   {"diverged_in_a_row", diverged_in_a_row_},
                   {"d_restarts", d_restarts_},
                   {"d_updates", d_updates_},
                   {"stats_bytes", recorder_->StatsBytes()},
                   {"flags", ToJson(options_)},
                   {"build", cli::BuildFacts()}};
  request.tensors = snapshot_->views();
  request.before_commit = recorder_->StatsSync();
  checkpoint::Retention keep = options_.keep;
  keep.best = quality_->best_step();
  saver_.Start(
      [request = std::move(request), snapshot = snapshot_, saves = saves_, root = folder_.Checkpoints(), keep] {
        const checkpoint::SaveResult result = checkpoint::Save(root, request, RanksOf(*saves));
        if (saves->rank() == 0) {
          for (const std::string& why : checkpoint::Prune(root, keep)) {
            cli::LogWarning(why + "; an old checkpoint stays until the next save");
          }
        }
        saves->Barrier();  // pruning is part of the save: nobody waits for rank 0 elsewhere
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
  enter_(Section::kSave);
  if (const auto outcome = saver_.Wait()) Conclude(*outcome);
}

void RunState::SaveCheckpoint() {
  const auto start = std::chrono::steady_clock::now();
  FinishSave();
  StartSave();
  pause_seconds_ = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

bool RunState::SaveLast() {
  FinishSave();
  if (last_saved_step_ == step_) return true;
  const auto start = std::chrono::steady_clock::now();
  StartSave();
  const checkpoint::Outcome outcome = *saver_.Wait();
  pause_seconds_ = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  if (outcome.error) {
    try {
      std::rethrow_exception(outcome.error);
    } catch (const DataError& error) {  // a number that is none
      recorder_->CheckpointFailed(error.what());
      return false;
    }
  }
  Conclude(outcome);
  return true;
}

}  // namespace gan::run
