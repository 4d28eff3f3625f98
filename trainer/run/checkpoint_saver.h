#pragma once

#include <cstdint>
#include <exception>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include <nlohmann/json.hpp>

#include "checkpoint/background.h"
#include "checkpoint/checkpoint.h"
#include "trainer/distributed/communicator.h"
#include "trainer/model/state.h"
#include "trainer/run/checkpoint_state.h"

namespace gan::run {

// The content of a checkpoint, taken at a step boundary.
struct SavedState {
  std::uint64_t step = 0, images = 0;
  std::string lineage;
  nlohmann::json state;
  model::NamedTensors tensors;          // copied before Save() returns
  std::function<void()> before_commit;  // called on the writing thread before the checkpoint becomes visible
  std::optional<std::uint64_t> best;    // step of the best checkpoint, which is never removed
};

// The result of a save: exactly one of the first two members is set. All ranks get the same kind, because a save
// succeeds or fails on all of them.
struct SaveReport {
  std::optional<checkpoint::SaveResult> saved;
  std::exception_ptr error;
  double pause_seconds = 0;  // how long training was paused
};

// Saves checkpoints while training continues: the tensors are copied at the step boundary, and another thread writes
// the copy. At most one save is in flight. All members except Poll() are collective over `communicator`. Not
// thread-safe.
class CheckpointSaver {
 public:
  // `communicator`: used only by the writing thread, with the time-out for saving.
  CheckpointSaver(std::filesystem::path root, checkpoint::Retention keep,
                  std::shared_ptr<distributed::Communicator> communicator);

  // Allocates the buffers for the copy, so that the first save does not pause training for that.
  void Prepare(const model::NamedTensors& tensors);
  // Waits for the save in flight, then copies `state` and starts to write the copy. Returns the report of the previous
  // save.
  std::optional<SaveReport> Save(SavedState state);
  // The report of the save in flight once it has ended. Empty while it is being written, or when there is none.
  std::optional<SaveReport> Poll();
  // Waits for the save in flight. Empty when there is none.
  std::optional<SaveReport> Wait();
  // Step of the newest checkpoint of this run.
  std::optional<std::uint64_t> last_saved_step() const { return last_saved_step_; }
  void set_last_saved_step(std::uint64_t step) { last_saved_step_ = step; }

 private:
  SaveReport Report(const checkpoint::Outcome& outcome);

  std::filesystem::path root_;
  checkpoint::Retention keep_;
  // Both are shared with the save in flight.
  std::shared_ptr<distributed::Communicator> communicator_;
  std::shared_ptr<Snapshot> snapshot_;
  std::optional<std::uint64_t> last_saved_step_;
  std::uint64_t saving_step_ = 0;
  double pause_seconds_ = 0;
  checkpoint::BackgroundSaver saver_;
};

}  // namespace gan::run
