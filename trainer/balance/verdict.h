// Derives a verdict from the averages, with hysteresis.
#pragma once

#include <cstdint>
#include <string_view>

#include <nlohmann/json.hpp>

#include "trainer/balance/options.h"
#include "trainer/balance/signals.h"

namespace gan::balance {

enum class Verdict { kBalanced, kDiscriminatorAhead, kGeneratorAhead, kModeCollapse, kDiverged };
std::string_view Name(Verdict verdict);  // "balanced", "discriminator_ahead", ...
inline constexpr Verdict kVerdicts[] = {Verdict::kBalanced, Verdict::kDiscriminatorAhead, Verdict::kGeneratorAhead,
                                        Verdict::kModeCollapse, Verdict::kDiverged};

// A condition that turns on after `raise` held for raise_steps consecutive steps, and off after `clear` held for
// clear_steps.
struct Latch {
  bool on = false;
  std::uint64_t run = 0;   // consecutive steps that support a change
  std::uint64_t held = 0;  // while on: number of steps since it turned on
  bool raised = false;     // the raise condition holds in this step, not only the absence of the clear condition

  void Update(bool raise, bool clear, std::uint32_t raise_steps, std::uint32_t clear_steps);
  void RaiseNow();
};
void to_json(nlohmann::json& json, const Latch& latch);
void from_json(const nlohmann::json& json, Latch& latch);

// One latch per possible problem. Several may be on.
struct Findings {
  Latch discriminator_ahead, generator_ahead, mode_collapse, diverged;
  Latch perfect_discriminator;  // has lasted so long that neither loss nor diversity is considered
  Latch collapse_foretold;      // a mode collapse is expected; a warning, not a verdict
  bool IsDiscriminatorAhead() const { return discriminator_ahead.on || perfect_discriminator.on; }
};
void to_json(nlohmann::json& json, const Findings& findings);
void from_json(const nlohmann::json& json, Findings& findings);

// Processes one step and the averages after it. During the warm-up only `diverged` can turn on. `acted_upon`: D is held
// back, is helped, or has just lost its help. Then the verdict that G is ahead is likely caused by the controller
// itself, so the clear thresholds and raise_steps are enough for it.
void Update(Findings& findings, const Averages& averages, const Signals& signals, const BalanceOptions& options,
            bool warm, bool acted_upon);

// Updates the expectation of a mode collapse with the averages of a step. Call it only from the end of twice the
// warm-up.
void UpdateForecast(Findings& findings, const Averages& averages, const BalanceOptions& options);

// The most serious problem: diverged, then mode collapse, then the network that is ahead.
Verdict VerdictOf(const Findings& findings);

}  // namespace gan::balance
