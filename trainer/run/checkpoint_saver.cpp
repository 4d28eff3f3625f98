#include "trainer/run/checkpoint_saver.h"

#include <chrono>
#include <utility>

#include "checkpoint/manifest.h"
#include "cli/log.h"
#include "trainer/run/measurement.h"

namespace gan::run {

namespace {

// The step whose measurement was pending when `folder` was saved: a run that resumes from it measures that step again.
std::optional<std::uint64_t> MeasuredStep(const std::filesystem::path& folder) {
  try {
    const nlohmann::json state = checkpoint::ReadManifest(folder).state;
    const nlohmann::json quality = state.value("quality", nlohmann::json::object());
    return quality.contains("pending") ? std::optional(PendingFromJson(quality.at("pending")).step) : std::nullopt;
  } catch (const std::exception&) {  // damaged: no run will resume from it
    return std::nullopt;
  }
}

// Runs on the writing thread. An old checkpoint that cannot be removed does not fail the save.
checkpoint::SaveResult WriteAndPrune(const std::filesystem::path& root, const checkpoint::SaveRequest& request,
                                     distributed::Communicator& communicator, const checkpoint::Retention& keep) {
  const checkpoint::SaveResult result = checkpoint::Save(root, request, RankGroupOf(communicator));
  if (communicator.rank() == 0) {
    for (const std::string& why : checkpoint::Prune(root, keep)) {
      cli::LogWarning(why + "; the old checkpoint stays until the next save");
    }
  }
  communicator.Barrier();  // pruning is part of the save: a rank that waits for the save also waits for pruning
  return result;
}

}  // namespace

CheckpointSaver::CheckpointSaver(std::filesystem::path root, checkpoint::Retention keep,
                                 std::shared_ptr<distributed::Communicator> communicator)
    : root_(std::move(root)), keep_(keep), communicator_(std::move(communicator)), saver_(communicator_->size() > 1) {}

void CheckpointSaver::Prepare(const model::NamedTensors& tensors) {
  // The shapes change only when D was widened.
  if (snapshot_ && snapshot_->Fits(tensors)) {
    snapshot_->Update(tensors);
  } else {
    snapshot_ = std::make_shared<Snapshot>(tensors);
  }
}

// The previous save must end first: both use the same buffers.
std::optional<SaveReport> CheckpointSaver::Save(SavedState state) {
  const auto start = std::chrono::steady_clock::now();
  std::optional<SaveReport> before = Wait();
  Prepare(state.tensors);
  saving_step_ = state.step;
  checkpoint::SaveRequest request;
  request.step = state.step;
  request.images = state.images;
  request.lineage = std::move(state.lineage);
  request.state = std::move(state.state);
  request.tensors = snapshot_->views();
  request.before_commit = std::move(state.before_commit);
  checkpoint::Retention keep = keep_;
  keep.best = state.best;
  keep.needed_by = MeasuredStep;
  // The lambda owns everything that it uses, because it may outlive this object.
  saver_.Start([root = root_, request = std::move(request), snapshot = snapshot_, communicator = communicator_, keep] {
    return WriteAndPrune(root, request, *communicator, keep);
  });
  // Training pauses only until here. It has waited for the previous save and for the copy.
  pause_seconds_ = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return before;
}

std::optional<SaveReport> CheckpointSaver::Poll() {
  const auto outcome = saver_.Poll();
  return outcome ? std::optional(Report(*outcome)) : std::nullopt;
}

std::optional<SaveReport> CheckpointSaver::Wait() {
  const auto outcome = saver_.Wait();
  return outcome ? std::optional(Report(*outcome)) : std::nullopt;
}

SaveReport CheckpointSaver::Report(const checkpoint::Outcome& outcome) {
  if (outcome.saved) last_saved_step_ = saving_step_;
  return {outcome.saved, outcome.error, pause_seconds_};
}

}  // namespace gan::run
