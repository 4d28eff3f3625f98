// Collects evidence from an attempt that has ended, for its diagnosis.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>

#include "launcher/command_line.h"
#include "launcher/diagnosis.h"
#include "launcher/output_tee.h"
#include "storage/rank_board.h"

namespace gan::launch {

// Not thread-safe.
class EvidenceCollector {
 public:
  explicit EvidenceCollector(std::uint64_t ranks) : board_(storage::RankBoard::Create(ranks)) {}

  void Begin();                                          // before each attempt
  int descriptor() const { return tee_->descriptor(); }  // the attempt's stderr
  // After the attempt has ended, with all of its processes. `placed`: the hosts that it used. If a rank has left no
  // evidence, the other hosts are asked, which takes seconds.
  Evidence Of(const Ending& ending, const std::filesystem::path& run, const LaunchOptions& placed);

 private:
  storage::RankBoard board_;
  std::optional<OutputTee> tee_;
  std::uint64_t memory_kills_ = 0;  // number before the attempt
};

// Throws UsageError when the programs, the launcher's library or the slots do not allow the job to start; launch.json
// has the cause if the run folder exists. Stores properties of the launcher in `options`.
void RequireJobCanStart(LaunchOptions& options, const std::filesystem::path& run);

}  // namespace gan::launch
