// Why an attempt ended: which rank was first, where it was, and what the cause was. A pure function of what was seen.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "launcher/job.h"

namespace gan::launch {

enum class Cause {
  kNone,  // the job did what it was told to
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
  kError,  // an error of the program that is none of these
};
std::string_view Name(Cause cause);  // as in launch.json: "out_of_memory"

// What the board said of a rank of this host after it had ended.
struct RankTrace {
  int rank = 0;
  std::string section;     // "" when it had not begun
  std::string collective;  // the newest one
  bool in_collective = false;
  std::uint64_t collectives = 0;  // that it had entered
  double last_beat = 0;           // seconds of a clock that all ranks of this host share
};

struct Evidence {
  Ending ending;
  std::string text;                     // the end of what the launcher and the ranks wrote to stderr, with short lines
  std::vector<RankTrace> ranks;         // that ran on this host
  std::vector<std::string> hosts;       // of each rank of the job; "" where no rank has said it
  std::uint64_t memory_kills = 0;       // processes that the kernel killed for memory during the attempt
  std::vector<std::string> gone_hosts;  // that no longer answer
  std::string disk;                     // why nothing can be written to the run folder; "" when it can
  std::string host;                     // this one
};

struct Diagnosis {
  Cause cause = Cause::kNone;
  std::optional<int> rank = {};  // the first one; empty when it is unknown, or all of them alike
  std::string host = {};
  std::string section = {};
  std::string collective = {};  // "" when it was in none
  std::string detail = {};      // the line that tells most
  std::string stacks = {};      // the file with the stacks of a hung rank
};

Diagnosis Diagnose(const Evidence& evidence);

// One sentence: "rank 1 on host a was killed by signal 9 in section step (gradients, all-reduce): …". "" for kNone.
std::string Sentence(const Diagnosis& diagnosis);

}  // namespace gan::launch
