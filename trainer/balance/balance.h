// The balance between generator and discriminator: signals -> verdict -> actions, as pure functions of all-reduced
// numbers plus a small state, so every rank decides the same. std only.
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

// Not thread-safe. State goes into the checkpoint by Save/Restore and continues bit-exactly.
class Controller {
 public:
  explicit Controller(BalanceOptions options);  // throws UsageError on options out of range
  // Takes in one step, returns what was done about it (empty in the modes off and watch).
  // A step that is not finite gives the verdict diverged at once; its numbers enter no average.
  std::vector<Intervention> Observe(std::uint64_t step, const Signals& signals);
  Verdict verdict() const { return verdict_; }
  // The run is headed for a mode collapse: its generated images have stayed alike before a D that wins.
  bool IsCollapseForetold() const { return findings_.collapse_foretold.on; }
  // The step just observed calls for going back to a checkpoint, in words; empty when it does not. What becomes of it
  // is the trainer's: this state goes back with the rest.
  const std::string& rollback_cause() const { return rollback_cause_; }
  const Controls& controls() const { return controls_; }
  // After going back from a mode collapse for the (n+1)-th time: the same way would lead to the same end, so each time
  // something is changed for good. Gives what was done.
  std::vector<Intervention> TakeAnotherWay(std::uint64_t step, std::uint32_t collapses_before);
  const BalanceOptions& options() const { return options_; }
  const Averages& averages() const { return averages_; }
  nlohmann::json Save() const;
  // Throws std::runtime_error when `state` is not what Save() gives; the controller is then unchanged. Controls that
  // an acting run left behind are dropped when this run does not act.
  void Restore(const nlohmann::json& state);

 private:
  void CountSteps(bool finite);
  void Steer();
  double LeastAugment() const;
  double MostAugment() const;
  bool SteeringHasRoom() const;
  bool IsTimeToRestart() const;
  std::optional<Action> NextAction() const;
  bool IsAtEase() const;
  std::string Cause() const;
  void Remember(const Action& action);
  std::string RollbackCause(bool finite, bool blown_up) const;

  BalanceOptions options_;
  Averages averages_;
  Findings findings_;
  Verdict verdict_ = Verdict::kBalanced;
  Controls controls_;
  std::uint64_t observed_ = 0;       // finite steps in all
  std::uint64_t balanced_for_ = 0;   // steps in a row
  std::uint64_t since_action_ = 0;   // steps since the last intervention
  std::uint64_t since_restart_ = 0;  // and since D last began anew, or the run did
  // A remedy that was needed again after it had been taken back is kept longer: each relapse doubles the patience.
  std::uint32_t patience_ = 1;
  bool taken_back_ = false;     // the last intervention took one back
  bool acted_ = false;          // whether there was one at all
  std::string rollback_cause_;  // of the last step alone
  double epoch_ = 0;            // of the last finite step
};

}  // namespace gan::balance
