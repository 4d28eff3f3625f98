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

// Of the DCGAN paper (Radford, Metz and Chintala, 2016).
inline constexpr double kPaperRate = 2e-4, kPaperBeta1 = 0.5;

// The learning rate that suits networks of `options.features` and Adam's first beta `options.beta1`, when `rate_at_8`
// suits 8 features and the paper's beta. A lower beta has a lower rate: half of it at 0. The rate is never lower than
// the DCGAN paper's, and never lower than `configured`. 0 when `rate_at_8` is 0: the rate is not changed.
double TargetRate(double rate_at_8, double configured, const BalanceOptions& options);

// The highest multiple of G's base rate that may be used against a D that is ahead. It keeps G's rate within the range
// in which networks learn, and D's relative learning speed (BalanceOptions::min_d_pace) above its minimum.
double HighestGeneratorScale(const Controls& controls, const BalanceOptions& options);

// Moves both base rates one step towards the rates at which networks of this width learn well. G's rate rises towards
// its target. D's rate rises while `auc`, its AUC on images without augmentation, is below the band that steering aims
// at, and falls while `auc` is above it. The upper limit of D's rate decreases with the number of epochs. Also limits
// Adam's first beta to the value that GANs tolerate (BalanceOptions::pace_beta1).
Controls WithAdjustedBaseRates(Controls controls, const BalanceOptions& options, double auc, double epoch);

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
