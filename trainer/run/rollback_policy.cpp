#include "trainer/run/rollback_policy.h"

#include <algorithm>

namespace gan::run {

namespace {

// Diversity usually falls for about this many steps before the verdict becomes mode collapse.
constexpr std::uint64_t kCollapseBegan = 60;
// Minimum number of trained steps between two rollbacks from a mode collapse. A collapse that returns at once has a
// cause that a rollback does not remove.
constexpr std::uint64_t kStepsBetweenCollapses = 200;
// Interval of searching for a healthy checkpoint after a search without success.
constexpr std::uint64_t kStepsBetweenSearches = 50;

}  // namespace

void RollbackPolicy::Observe(bool finite, bool diverging, balance::Verdict verdict) {
  bad_steps_in_a_row_ = finite ? 0 : bad_steps_in_a_row_ + 1;
  diverged_in_a_row_ = diverging ? diverged_in_a_row_ + 1 : 0;
  if (verdict != balance::Verdict::kModeCollapse) no_way_back_from_collapse_ = false;
}

// Two causes: the controller asks for a rollback, or too many steps in a row were not finite.
std::string RollbackPolicy::Cause(std::uint64_t step, const balance::Controller& controller) const {
  if (step < no_target_before_) return "";
  const std::string& cause = controller.rollback_cause();
  if (!cause.empty() && !MustWaitOutCollapse(step, controller.verdict())) return cause;
  const balance::BalanceOptions& options = controller.options();
  const bool may_go_back = options.mode == balance::Mode::kAct && options.IsEnabled(balance::ActionGroup::kRollback);
  if (!may_go_back || bad_steps_in_a_row_ < kMostBadSteps) return "";
  return std::to_string(bad_steps_in_a_row_) + " steps in a row were not finite";
}

// Trained steps are counted including those that were discarded, because a rollback sets the step back.
bool RollbackPolicy::MustWaitOutCollapse(std::uint64_t step, balance::Verdict verdict) const {
  if (verdict != balance::Verdict::kModeCollapse) return false;
  if (no_way_back_from_collapse_) return true;
  const std::uint64_t trained = step + history_.ForgottenSteps();
  return !history_.all().empty() && trained < history_.TrainedAtLast() + kStepsBetweenCollapses;
}

std::uint64_t RollbackPolicy::NewestTarget(std::uint64_t step, balance::Verdict verdict) const {
  // A loss that blew up is noticed at once, so every healthy checkpoint is old enough.
  return verdict == balance::Verdict::kModeCollapse ? step - std::min(step, kCollapseBegan) : step;
}

// A collapse does not end the run: it is reported, and training continues.
void RollbackPolicy::GiveUpFor(std::uint64_t step, balance::Verdict verdict) {
  const bool collapse = verdict == balance::Verdict::kModeCollapse;
  given_up_ = IsExhausted(step) && !collapse;
  no_way_back_from_collapse_ = collapse;
  // Each search reads whole checkpoints.
  no_target_before_ = step + kStepsBetweenSearches;
}

// Without the last two, a run that resumes during a collapse would roll back where the uninterrupted run trains on.
void RollbackPolicy::SaveTo(nlohmann::json& state) const {
  state["rollbacks"] = history_.all().size();
  state["bad_steps_in_a_row"] = bad_steps_in_a_row_;
  state["diverged_in_a_row"] = diverged_in_a_row_;
  state["no_way_back_from_collapse"] = no_way_back_from_collapse_;
  state["no_target_before"] = no_target_before_;
}

// Older checkpoints lack some members.
void RollbackPolicy::Restore(const nlohmann::json& state) {
  bad_steps_in_a_row_ = state.at("bad_steps_in_a_row").get<std::uint32_t>();
  diverged_in_a_row_ = state.value("diverged_in_a_row", 0U);
  no_way_back_from_collapse_ = state.value("no_way_back_from_collapse", false);
  no_target_before_ = state.value("no_target_before", std::uint64_t{0});
}

// The history is a file of its own, which may be shorter than at the time of the checkpoint if a user has removed it.
std::size_t RollbackPolicy::RollbacksBefore(const nlohmann::json& state, std::uint64_t step) const {
  const std::size_t known = state.value("rollbacks", history_.CountBefore(step));
  return known <= history_.all().size() ? known : history_.CountBefore(step);
}

}  // namespace gan::run
