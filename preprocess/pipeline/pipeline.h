#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "preprocess/inputs/left_out.h"
#include "preprocess/pipeline/options.h"
#include "preprocess/pipeline/ranks.h"

namespace gan::preprocess {

// The results of this run; on rank 0 those of all ranks.
struct Summary {
  std::uint64_t inputs = 0;
  std::uint64_t accepted = 0;
  std::map<std::string, std::uint64_t> rejected;  // by reason
  std::uint64_t bytes_read = 0;                   // by this run
  std::uint64_t kept_from_before = 0;             // inputs of shards that an earlier, interrupted run had finished
  std::uint64_t total = 0;                        // records of the data set, including those from before --append
  bool already_complete = false;                  // nothing was left to do
  std::uint64_t left_to_try = 0;  // inputs rejected for reasons that may pass; the same command tries them again
  // The number of records per label in the whole data set; empty when it has no labels.
  std::vector<std::pair<std::string, std::uint64_t>> labels;
  std::vector<std::string> notes;  // sentences for the user
  LeftOut left_out;                // files that were found and are not inputs
};

// Callbacks for progress. Called by one thread at a time.
struct Observer {
  std::function<void(std::uint64_t done, std::uint64_t total)> progress;  // of this rank's inputs
  std::function<void(std::string_view result)> result;                    // "accepted" or a reason; each new input
};

// Turns pictures into a shard folder. The same inputs and options give the same bytes, whatever the threads, ranks and
// interruptions; an interrupted run continues at the first missing shard. A finished run makes those shards again in
// which an input could not be read for a reason that has passed. Collective among `ranks`. Throws UsageError when the
// folder was begun with other options or inputs, DataError when no input is usable or, with strict, at the first
// rejected input, IoError when reading or writing fails.
Summary Preprocess(const PreprocessOptions& options, const Ranks& ranks, const Observer& observer);

}  // namespace gan::preprocess
