// From averages to a verdict, with hysteresis.
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

// A condition that turns on after `raise` held for raise_steps in a row and off after `clear` held for clear_steps.
struct Latch {
  bool on = false;
  std::uint64_t run = 0;   // steps in a row that speak for a change
  std::uint64_t held = 0;  // while on: steps since the condition began
  bool raised = false;     // by this step: on, and not only because it has not cleared yet

  void Update(bool raise, bool clear, std::uint32_t raise_steps, std::uint32_t clear_steps);
  void RaiseNow();
};
void to_json(nlohmann::json& json, const Latch& latch);
void from_json(const nlohmann::json& json, Latch& latch);

// One latch for each thing that can be wrong; several may be on.
struct Findings {
  Latch discriminator_ahead, generator_ahead, mode_collapse, diverged;
  Latch perfect_discriminator;  // for so long that neither loss nor diversity speaks against it
  Latch collapse_foretold;      // the generated images stay alike before a D that wins: no verdict, but a warning
  bool IsDiscriminatorAhead() const { return discriminator_ahead.on || perfect_discriminator.on; }
};
void to_json(nlohmann::json& json, const Findings& findings);
void from_json(const nlohmann::json& json, Findings& findings);

// Takes in one step and the averages after it. In the warm-up only `diverged` can be found. `acted_upon`: D is held
// back, helped, or has just lost its help, so G ahead is what the controller itself has done or not yet mended: the
// clearing thresholds and raise_steps are then enough for that verdict.
void Update(Findings& findings, const Averages& averages, const Signals& signals, const BalanceOptions& options,
            bool warm, bool acted_upon);

// Takes in the averages after a step from which on a collapse may be foretold.
void UpdateForecast(Findings& findings, const Averages& averages, const BalanceOptions& options);

// The gravest finding: diverged, mode collapse, then who is ahead.
Verdict VerdictOf(const Findings& findings);

}  // namespace gan::balance
