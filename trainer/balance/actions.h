// From findings to what the next steps do differently: one rung of a ladder at a time, mildest first.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include "trainer/balance/options.h"

namespace gan::balance {

// What the next steps do differently. The neutral value changes nothing.
struct Controls {
  double base_scale_d = 1;           // the rate that D is led to is its configured rate times this
  double base_scale_g = 1;           // and G's
  double max_beta1 = 1;              // Adam's first beta is the configured one, but no more than this
  double lr_scale_d = 1;             // D's rate is the one it is led to times this
  double lr_scale_g = 1;             // and G's
  std::uint32_t d_every = 1;         // D is updated in every k-th step
  std::uint32_t d_steps = 1;         // D updates a step
  std::uint32_t freeze_g_steps = 0;  // steps for which G is not updated, counted down by the controller
  bool r1 = false;                   // R1 with at least the options' gamma
  bool wgan_gp = false;              // WGAN-GP instead of the configured loss
  bool feature_matching = false;     // feature matching with at least the options' weight
  std::uint32_t d_restarts = 0;      // how often D has begun anew
  double least_augment = 0;          // what steering must not go below
  double augment = 0;                // probability of augmentation in front of D, at least the configured one
  std::uint32_t d_width = 1;         // D's channels are the configured ones times this; never goes back

  bool operator==(const Controls&) const = default;
};
void to_json(nlohmann::json& json, const Controls& controls);
void from_json(const nlohmann::json& json, Controls& controls);
// D is held back: a slower D, one trained less often, or penalised.
bool IsHeldBack(const Controls& controls);
// D is helped against G: by a higher rate or more steps of its own, by a slower or a frozen G.
bool IsHelped(const Controls& controls);

// Every name that Intervention::action can have.
inline constexpr std::string_view kActions[] = {"lower_d_rate",         "raise_d_rate", "d_less_often",
                                                "d_more_often",         "more_d_steps", "fewer_d_steps",
                                                "lower_g_rate",         "raise_g_rate", "freeze_g",
                                                "unfreeze_g",           "r1_on",        "r1_off",
                                                "wgan_gp_on",           "wgan_gp_off",  "feature_matching_on",
                                                "feature_matching_off", "widen_d",      "restart_d",
                                                "more_augmentation"};

struct Intervention {
  std::uint64_t step = 0;
  std::string action;  // one of kActions
  std::string reason;  // in words, for the log
};

// A change of the controls: which, and its effect in words ("D's rate x1 -> x0.5").
struct Action {
  std::string_view name;
  std::string effect;
  Controls controls;  // after it
};

// The most that G's rate may be multiplied with against a D that wins: it stays a rate at which networks learn, and D's
// pace beside it does not become too low.
double HighestGeneratorScale(const Controls& controls, const BalanceOptions& options);

// Both rates one step further towards those at which networks of this width learn well: G's up to one, D's up in its
// range while its `auc` on images as they are is below the band that steering aims at, down while it is above. D's
// range falls with the epochs that the run has seen. And no more momentum than GANs bear.
Controls LedToPace(Controls controls, const BalanceOptions& options, double auc, double epoch);

// Each gives the next rung, or nothing at the ladder's end.
std::optional<Action> HoldDiscriminatorBack(const Controls& controls, const BalanceOptions& options);
std::optional<Action> HelpDiscriminator(const Controls& controls, const BalanceOptions& options);
// One rung of what holds D back, taken back: the strongest first.
std::optional<Action> ReleaseDiscriminator(const Controls& controls, const BalanceOptions& options);
// Against fakes that are all alike while neither network is ahead.
std::optional<Action> SpreadGenerator(const Controls& controls, const BalanceOptions& options);
// What is different from now on when the run has gone back from a mode collapse, the first, second and third time.
std::optional<Action> AnotherWay(const Controls& controls, const BalanceOptions& options,
                                 std::uint32_t collapses_before);
// One rung back towards neutral; what was done last (the strongest) goes first.
std::optional<Action> Undo(const Controls& controls, const BalanceOptions& options);

}  // namespace gan::balance
