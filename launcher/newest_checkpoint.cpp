#include "launcher/newest_checkpoint.h"

#include "checkpoint/checkpoint.h"
#include "cli/log.h"

namespace gan::launch {

namespace fs = std::filesystem;

namespace {

// Every byte is read, because a checkpoint that cannot be loaded must not count as progress.
std::optional<std::uint64_t> NewestVerifiedStep(const fs::path& checkpoints) {
  for (const fs::path& folder : checkpoint::ListCheckpoints(checkpoints)) {
    try {
      checkpoint::Verify(folder);
      return checkpoint::ParseCheckpointFolderName(folder.filename().string());
    } catch (const std::exception& error) {
      cli::LogWarning(std::string(error.what()) + "; trying the checkpoint before it");
    }
  }
  return std::nullopt;
}

}  // namespace

NewestCheckpoint::NewestCheckpoint(const fs::path& run) : checkpoints_(run / "checkpoints") {}

std::optional<std::uint64_t> NewestCheckpoint::Step() {
  try {
    step_ = NewestVerifiedStep(checkpoints_);
  } catch (const std::exception& error) {
    WarnOfLastKnown(error);
  }
  return step_;
}

bool NewestCheckpoint::Exists() const {
  try {
    return !checkpoint::ListCheckpoints(checkpoints_).empty();
  } catch (const std::exception& error) {
    WarnOfLastKnown(error);
    return step_.has_value();
  }
}

void NewestCheckpoint::WarnOfLastKnown(const std::exception& error) const {
  cli::LogWarning(std::string(error.what()) + "; using the last known state: " + StepText(step_));
}

std::string StepText(const std::optional<std::uint64_t>& step) {
  return step ? "checkpoint of step " + std::to_string(*step) : "no checkpoint yet";
}

}  // namespace gan::launch
