#pragma once

#include <cstdint>
#include <string>

#include <nlohmann/json.hpp>

#include "trainer/balance/balance.h"
#include "trainer/run/rollbacks.h"

namespace gan::run {

// Decides when a run returns to an older checkpoint and when it must end as diverged. Every decision depends only on
// values that are the same on all ranks, so all ranks decide the same. Not thread-safe.
class RollbackPolicy {
 public:
  // `finite`: whether all numbers of the last decided step were finite. `diverging`: they were not finite or have blown
  // up.
  void Observe(bool finite, bool diverging, balance::Verdict verdict);

  // Why the run should roll back now; empty when it should not. `step`: the current step of the run.
  std::string Cause(std::uint64_t step, const balance::Controller& controller) const;
  // The newest step whose checkpoint may be used for a rollback. A mode collapse began before its verdict, so its
  // target must be older.
  std::uint64_t NewestTarget(std::uint64_t step, balance::Verdict verdict) const;
  // Whether the run has rolled back so often recently that it must not do so again.
  bool IsExhausted(std::uint64_t step) const { return history_.Exhausted(step); }
  // No usable checkpoint was found at `step`: decides whether the search is repeated later or abandoned.
  void GiveUpFor(std::uint64_t step, balance::Verdict verdict);

  // Whether further training would be useless: many consecutive steps without a finite update, or repeated divergence.
  bool MustEnd() const {
    return bad_steps_in_a_row_ >= kMostBadSteps || diverged_in_a_row_ >= kMostDivergedSteps || given_up_;
  }

  Rollbacks& history() { return history_; }
  const Rollbacks& history() const { return history_; }

  // Stores everything but the history as members of a checkpoint's state, and the length of the history.
  void SaveTo(nlohmann::json& state) const;
  void Restore(const nlohmann::json& state);
  // The number of rollbacks in the history that came before the checkpoint of `step` with this state.
  std::size_t RollbacksBefore(const nlohmann::json& state, std::uint64_t step) const;

 private:
  static constexpr std::uint32_t kMostBadSteps = 20;
  static constexpr std::uint32_t kMostDivergedSteps = 100;

  bool MustWaitOutCollapse(std::uint64_t step, balance::Verdict verdict) const;

  Rollbacks history_;
  std::uint32_t bad_steps_in_a_row_ = 0;    // consecutive steps that were not finite
  std::uint32_t diverged_in_a_row_ = 0;     // consecutive steps that were not finite or blew up
  bool given_up_ = false;                   // rolled back too often
  bool no_way_back_from_collapse_ = false;  // for the current mode collapse
  std::uint64_t no_target_before_ = 0;      // no further search for a healthy checkpoint until this step
};

}  // namespace gan::run
