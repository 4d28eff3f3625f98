#include "launcher/restart_policy.h"

#include <algorithm>
#include <cmath>

#include "cli/main.h"

namespace gan::launch {

RestartPolicy::RestartPolicy(const RestartOptions& options, std::optional<std::uint64_t> step)
    : options_(options), best_step_(step), ranks_(options.ranks) {}

Decision RestartPolicy::Stop(const std::string& why) const { return {false, ranks_, 0, why}; }

// The next smaller number of ranks that can share the same global batch: a divisor of the current number.
std::uint64_t RestartPolicy::FewerRanks() const {
  if (options_.fewest_ranks == 0) return ranks_;
  for (std::uint64_t fewer = ranks_ - 1; fewer >= std::max<std::uint64_t>(options_.fewest_ranks, 1); --fewer) {
    if (ranks_ % fewer == 0) return fewer;
  }
  return ranks_;
}

Decision RestartPolicy::After(const Ending& ending, std::optional<std::uint64_t> step) {
  // Only a newer checkpoint counts as progress: otherwise a job that fails in the same step would be restarted for
  // ever.
  const bool progress = step && (!best_step_ || *step > *best_step_);
  if (progress) {
    best_step_ = step;
    without_progress_ = 0;
  }
  if (restarts_ >= options_.max_restarts) {
    return Stop(Describe(ending) + "; --max-restarts " + std::to_string(options_.max_restarts) + " is reached");
  }
  if (without_progress_ >= kMostWithoutProgress) {
    return Stop(Describe(ending) + "; " + std::to_string(kMostWithoutProgress) +
                " restarts in a row have saved no new checkpoint");
  }
  // After the first restart without progress the cause may be a host, so the next attempt uses fewer ranks if that is
  // allowed.
  if (without_progress_ >= 1) ranks_ = FewerRanks();
  // This restart has not been counted yet, so the first one waits the time of --backoff.
  const double wait = options_.backoff_seconds * std::pow(2.0, static_cast<double>(without_progress_));
  ++restarts_;
  ++without_progress_;
  return {true, ranks_, std::min(wait, kLongestWait), Describe(ending)};
}

// The end by a signal is never final, because it may have been an accident.
bool IsFinal(const Ending& ending, bool first_attempt) {
  if (ending.by_signal) return false;
  // These codes mean that the request was fulfilled, or that another attempt would end in the same way.
  switch (ending.code) {
    case cli::kDone:
    case cli::kBadData:
    case cli::kDiverged:
    case cli::kStoppedSaved:
      return true;
    case cli::kUsage:
      return first_attempt;  // a later usage error is temporary: a dying rank still holds the run folder
    default:
      return false;
  }
}

}  // namespace gan::launch
