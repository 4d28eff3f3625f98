#pragma once

#include <cstdint>
#include <string>

#include <nlohmann/json.hpp>

#include "trainer/balance/balance.h"
#include "trainer/run/rollbacks.h"

namespace gan::run {

// Decides when a run goes back to an older checkpoint and when it has to end as diverged. Every decision follows from
// values that are the same on all ranks, so all ranks decide alike. Not thread-safe.
class RollbackPolicy {
 public:
  // `finite`: of the step that was judged last. `diverging`: its numbers are not finite or have blown up.
  void Observe(bool finite, bool diverging, balance::Verdict verdict);

  // Why the run should go back now; empty when it should not. `step`: where the run is.
  std::string Cause(std::uint64_t step, const balance::Controller& controller) const;
  // The newest step whose checkpoint the run may go back to. A mode collapse is older than its verdict.
  std::uint64_t NewestTarget(std::uint64_t step, balance::Verdict verdict) const;
  // Whether the run went back so often within a short time that it must not do so again.
  bool IsExhausted(std::uint64_t step) const { return history_.Exhausted(step); }
  // There was no way back at `step`: it is tried again later, or given up.
  void GiveUpFor(std::uint64_t step, balance::Verdict verdict);

  // Training on would be a waste: many steps in a row without a finite update, or one divergence after the other.
  bool MustEnd() const {
    return bad_steps_in_a_row_ >= kMostBadSteps || diverged_in_a_row_ >= kMostDivergedSteps || given_up_;
  }

  Rollbacks& history() { return history_; }
  const Rollbacks& history() const { return history_; }

  // The counts that a checkpoint keeps, as members of its state.
  void SaveTo(nlohmann::json& state) const;
  void Restore(const nlohmann::json& state);

 private:
  static constexpr std::uint32_t kMostBadSteps = 20;
  static constexpr std::uint32_t kMostDivergedSteps = 100;

  bool MustWaitOutCollapse(std::uint64_t step, balance::Verdict verdict) const;

  Rollbacks history_;
  std::uint32_t bad_steps_in_a_row_ = 0;    // not finite
  std::uint32_t diverged_in_a_row_ = 0;     // not finite or blown up
  bool given_up_ = false;                   // went back too often
  bool no_way_back_from_collapse_ = false;  // of the collapse that lasts
  std::uint64_t no_target_before_ = 0;      // step until which no healthy checkpoint is looked for again
};

}  // namespace gan::run
