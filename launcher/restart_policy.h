// Decides whether a job that ended is restarted, when, and with how many ranks. The decision depends only on how the
// attempts ended and on the step of the newest checkpoint.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "launcher/job.h"

namespace gan::launch {

struct RestartOptions {
  std::uint64_t ranks = 1;
  std::uint64_t max_restarts = 100;
  std::uint64_t fewest_ranks = 0;  // 0: never restart with fewer ranks
  double backoff_seconds = 1;
};

struct Decision {
  bool restart = false;
  std::uint64_t ranks = 0;
  double wait_seconds = 0;
  std::string why;
};

class RestartPolicy {
 public:
  // `step`: of the newest verified checkpoint before the first attempt, if there is one.
  RestartPolicy(const RestartOptions& options, std::optional<std::uint64_t> step);

  // Call it when an attempt has ended without a request to stop. `step`: of the newest verified checkpoint now.
  Decision After(const Ending& ending, std::optional<std::uint64_t> step);
  std::uint64_t restarts() const { return restarts_; }

 private:
  static constexpr std::uint64_t kMostWithoutProgress = 3;
  static constexpr double kLongestWait = 60;

  Decision Stop(const std::string& why) const;
  std::uint64_t FewerRanks() const;

  RestartOptions options_;
  std::optional<std::uint64_t> best_step_;
  std::uint64_t ranks_;
  std::uint64_t restarts_ = 0;
  std::uint64_t without_progress_ = 0;  // number of restarts in a row without progress
};

// Whether the exit code forbids a restart: done, usage error, bad data, diverged, or stopped after saving.
bool IsFinal(const Ending& ending, bool first_attempt);

}  // namespace gan::launch
