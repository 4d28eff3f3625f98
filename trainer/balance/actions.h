// Chooses the controls of the next steps from the findings. Each ladder lists actions, mildest first, and is climbed
// one action at a time.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include "trainer/balance/options.h"

namespace gan::balance {

void to_json(nlohmann::json& json, const Controls& controls);
void from_json(const nlohmann::json& json, Controls& controls);
// Whether D is held back: it learns at a lower rate, is updated less often, or is penalised.
bool IsHeldBack(const Controls& controls);
// Whether D is helped against G: it has a higher rate or several updates per step, or G has a lower rate or is frozen.
bool IsHelped(const Controls& controls);

struct Intervention {
  std::uint64_t step = 0;
  std::string action;  // one of kActions
  std::string reason;  // in words, for the log
};

// A change of the controls: its name, and its effect as text ("D's rate x1 -> x0.5").
struct Action {
  std::string_view name;
  std::string effect;
  Controls controls;  // the controls after the action
};

// The highest multiple of G's base rate that may be used against a D that is ahead. It keeps G's rate within the range
// in which networks learn, and D's relative learning speed (BalanceOptions::min_d_pace) above its minimum.
double HighestGeneratorScale(const Controls& controls, const BalanceOptions& options);

// Each function returns the next action of its ladder, or nothing at the end of the ladder.
std::optional<Action> HoldDiscriminatorBack(const Controls& controls, const BalanceOptions& options);
std::optional<Action> HelpDiscriminator(const Controls& controls, const BalanceOptions& options);
// Undoes one action that holds D back, the strongest first.
std::optional<Action> ReleaseDiscriminator(const Controls& controls, const BalanceOptions& options);
// Actions against generated images that are too similar while neither network is ahead.
std::optional<Action> SpreadGenerator(const Controls& controls, const BalanceOptions& options);
// The permanent change after the first, second and third rollback from a mode collapse.
std::optional<Action> CollapseResponse(const Controls& controls, const BalanceOptions& options,
                                       std::uint32_t collapses_before);
// Undoes one action, the newest and strongest first.
std::optional<Action> Undo(const Controls& controls, const BalanceOptions& options);

}  // namespace gan::balance
