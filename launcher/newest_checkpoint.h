// The progress of a run: its newest checkpoint.
#pragma once

#include <cstdint>
#include <exception>
#include <filesystem>
#include <optional>
#include <string>

namespace gan::launch {

// Not thread-safe. When the folder cannot be read, the last known step is used: a temporary fault of the file system
// (such as ESTALE) says nothing about the job. The log then reports it.
class NewestCheckpoint {
 public:
  explicit NewestCheckpoint(const std::filesystem::path& run);

  // The step of the newest intact checkpoint; empty without one. Damaged ones are skipped here; gan-train renames them
  // when it resumes.
  std::optional<std::uint64_t> Step();
  // Whether there is a checkpoint, damaged ones included: gan-train decides what to do with them.
  bool Exists() const;

 private:
  void WarnOfLastKnown(const std::exception& error) const;

  const std::filesystem::path checkpoints_;
  std::optional<std::uint64_t> step_;  // last known
};

// "checkpoint of step 20", or that there is none yet.
std::string StepText(const std::optional<std::uint64_t>& step);

}  // namespace gan::launch
