// The balance between generator and discriminator: signals -> verdict -> actions. The functions are pure: they depend
// only on all-reduced numbers and a small state, so every rank decides the same. Uses only the standard library.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "trainer/balance/actions.h"
#include "trainer/balance/options.h"
#include "trainer/balance/signals.h"
#include "trainer/balance/verdict.h"

namespace gan::balance {

// Not thread-safe. Save and Restore keep the state in a checkpoint; a restored controller continues bit for bit.
class Controller {
 public:
  explicit Controller(BalanceOptions options);  // throws UsageError on options out of range
  // Processes the signals of one step and returns the interventions (none in the modes off and watch). A step with a
  // value that is not finite gives the verdict diverged at once and does not enter the averages.
  std::vector<Intervention> Observe(std::uint64_t step, const Signals& signals);
  Verdict verdict() const { return verdict_; }
  // Whether a mode collapse is expected: the generated images have stayed similar to each other while D wins.
  bool IsCollapseForetold() const { return findings_.collapse_foretold.on; }
  // Why the last observed step calls for a rollback to a checkpoint; empty when it does not. The trainer decides
  // whether to roll back, because a rollback also resets the state of this controller.
  const std::string& rollback_cause() const { return rollback_cause_; }
  const Controls& controls() const { return controls_; }
  // Call it after the (collapses_before + 1)-th rollback from a mode collapse. The same configuration would collapse
  // again, so each call makes a permanent change. Returns what was changed.
  std::vector<Intervention> RespondToCollapse(std::uint64_t step, std::uint32_t collapses_before);
  const BalanceOptions& options() const { return options_; }
  const Averages& averages() const { return averages_; }
  nlohmann::json Save() const;
  // Throws std::runtime_error when `state` is not the result of Save(); the controller is then unchanged. Controls that
  // a run with the mode act has left are reset when this run has another mode.
  void Restore(const nlohmann::json& state);

 private:
  void CountSteps(bool finite);
  void Steer();
  double LeastAugment() const;
  double MostAugment() const;
  double LackOfAugmentation() const;
  bool SteeringHasRoom() const;
  bool MayRestart() const;
  std::optional<Action> NextAction() const;
  bool IsStable() const;
  std::string Cause() const;
  void Remember(const Action& action);
  std::string RollbackCause(bool finite, bool blown_up) const;

  BalanceOptions options_;
  Averages averages_;
  Findings findings_;
  Verdict verdict_ = Verdict::kBalanced;
  Controls controls_;
  std::uint64_t observed_ = 0;       // number of finite steps
  std::uint64_t balanced_for_ = 0;   // number of consecutive balanced steps
  std::uint64_t since_action_ = 0;   // steps since the last intervention
  std::uint64_t since_restart_ = 0;  // steps since D was last initialised anew, or since the run began
  // An action that is needed again after it was undone is kept longer: each relapse doubles this factor.
  std::uint32_t patience_ = 1;
  bool has_undone_ = false;     // the last intervention undid an action
  bool acted_ = false;          // there has been an intervention
  std::string rollback_cause_;  // of the last step only
  double epoch_ = 0;            // of the last finite step
};

}  // namespace gan::balance
