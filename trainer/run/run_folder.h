#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

#include "storage/files.h"
#include "trainer/distributed/communicator.h"
#include "trainer/run/options.h"

namespace gan::run {

// The paths of all files in a run folder. No other code knows their names.
class RunFolder {
 public:
  // Collective. Rank 0 creates or finds the folder, locks it for the life of the object and removes leftovers of killed
  // processes. Then every rank checks that it sees the same folder. Throws UsageError when another job holds the lock
  // or when the ranks do not share the folder.
  static RunFolder Open(const TrainOptions& options, distributed::Communicator& control);

  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path Options() const { return path_ / "options.json"; }
  std::filesystem::path Log() const { return path_ / "log.txt"; }
  std::filesystem::path Stats() const { return path_ / "stats.jsonl"; }
  std::filesystem::path Quality() const { return path_ / "quality.jsonl"; }
  std::filesystem::path Status() const { return path_ / "status.json"; }
  std::filesystem::path Targets() const { return path_ / "prometheus-targets.json"; }
  std::filesystem::path Rollbacks() const { return path_ / "rollbacks.json"; }
  std::filesystem::path Reals() const { return path_ / "reals.png"; }
  std::filesystem::path Fakes(std::uint64_t step) const;    // fakes-00000042.png
  std::filesystem::path Nearest(std::uint64_t step) const;  // nearest-00000042.png
  std::filesystem::path Checkpoints() const { return CheckpointsOf(path_); }
  static std::filesystem::path CheckpointsOf(const std::filesystem::path& run) { return run / "checkpoints"; }

  // Renames the grids of steps after `step` to "<name>.abandoned-<lineage>", like the checkpoints, because a rollback
  // has discarded those steps. Rank 0 only. Throws IoError.
  void SetLaterGridsAside(std::uint64_t step, const std::string& lineage) const;

 private:
  std::filesystem::path path_;
  std::unique_ptr<storage::FolderLock> lock_;  // rank 0 only
};

}  // namespace gan::run
