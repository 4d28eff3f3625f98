// Finds out why an attempt ended: the cause, the rank that was first, and where it was. A pure function of the
// evidence.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "launcher/job.h"

namespace gan::launch {

enum class Cause {
  kNone,  // the job did its work
  kSignal,
  kOutOfMemory,
  kBusError,
  kFullDisk,
  kNotANumber,
  kHang,
  kLostHost,
  kOtherMpi,
  kBadFlag,
  kDamagedData,
  kPort,
  kLibraryMissing,
  kError,  // any other error of the program
};
std::string_view Name(Cause cause);  // as in launch.json: "out_of_memory"

// The notes of a rank of this host on the rank board (storage/rank_board.h), read after the rank had ended.
struct RankTrace {
  int rank = 0;
  std::string section;     // "" if the rank never began
  std::string collective;  // the newest one
  bool in_collective = false;
  std::uint64_t collectives = 0;  // number of collectives entered
  double last_beat = 0;           // seconds of a clock that all ranks of this host share
};

struct Evidence {
  Ending ending;
  std::string text;                     // the end of stderr of the launcher and the ranks, with short lines
  std::vector<RankTrace> ranks;         // the ranks that ran on this host
  std::vector<std::string> hosts;       // one per rank of the job; "" if no rank has reported it
  std::uint64_t memory_kills = 0;       // processes that the kernel killed for memory during the attempt
  std::vector<std::string> gone_hosts;  // hosts that no longer answer
  std::string disk;                     // why the run folder cannot be written; "" if it can
  std::string host;                     // the host of this process
};

struct Diagnosis {
  Cause cause = Cause::kNone;
  std::optional<int> rank = {};  // the first rank; empty if unknown or if all ranks ended alike
  std::string host = {};
  std::string section = {};
  std::string collective = {};  // "" if the rank was in none
  std::string detail = {};      // the most informative line
  std::string stacks = {};      // the file with the stacks of a hung rank
};

Diagnosis Diagnose(const Evidence& evidence);

// One sentence: "rank 1 on host a was killed by signal 9 in section step (gradients, all-reduce): …". "" for kNone.
std::string Sentence(const Diagnosis& diagnosis);

}  // namespace gan::launch
