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

// What a checkpoint holds, at a step boundary.
struct SavedState {
  std::uint64_t step = 0, images = 0;
  std::string lineage;
  nlohmann::json state;
  model::NamedTensors tensors;          // copied before Save() returns
  std::function<void()> before_commit;  // called in the writing thread before the checkpoint becomes visible
  std::optional<std::uint64_t> best;    // step of the checkpoint that pruning keeps for its quality
};

// How a save ended: exactly one of the first two. The same kind on every rank, since a save fails on all or none.
struct SaveReport {
  std::optional<checkpoint::SaveResult> saved;
  std::exception_ptr error;
  double pause_seconds = 0;  // for which training stood still
};

// Saves checkpoints while training goes on: the tensors are copied at the step boundary, and another thread writes the
// copy. At most one save is in flight. Collective over `communicator` except for Poll(). Not thread-safe.
class CheckpointSaver {
 public:
  // `communicator` is used by the writing thread alone and has the time-out of saving.
  CheckpointSaver(std::filesystem::path root, checkpoint::Retention keep,
                  std::shared_ptr<distributed::Communicator> communicator);

  // Allocates the buffers of the copy, so that the first save does not have to.
  void Prepare(const model::NamedTensors& tensors);
  // Waits for the save in flight, then copies `state` and starts writing it. Returns the report of the one before.
  std::optional<SaveReport> Save(SavedState state);
  // The report of the save in flight once it has ended; nothing while it is being written or when there is none.
  std::optional<SaveReport> Poll();
  // Waits for the save in flight. Nothing when there is none.
  std::optional<SaveReport> Wait();
  // Step of the newest checkpoint of this run.
  std::optional<std::uint64_t> last_saved_step() const { return last_saved_step_; }
  void set_last_saved_step(std::uint64_t step) { last_saved_step_ = step; }

 private:
  SaveReport Report(const checkpoint::Outcome& outcome);

  std::filesystem::path root_;
  checkpoint::Retention keep_;
  // Shared with the save in flight.
  std::shared_ptr<distributed::Communicator> communicator_;
  std::shared_ptr<Snapshot> snapshot_;
  std::optional<std::uint64_t> last_saved_step_;
  std::uint64_t saving_step_ = 0;
  double pause_seconds_ = 0;
  checkpoint::BackgroundSaver saver_;
};

}  // namespace gan::run
