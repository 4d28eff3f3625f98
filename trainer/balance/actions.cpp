#include "trainer/balance/actions.h"

#include <algorithm>
#include <cstdio>

#include "storage/counted.h"

namespace gan::balance {
namespace {

// Four digits, because scales are powers of lr_factor or the result of many small steps.
std::string Scale(double scale) {
  char text[32];
  std::snprintf(text, sizeof text, "x%.4g", scale);
  return text;
}

// Each function With… returns the action that sets one control. The caller has decided that the change is allowed.

// A pointer to the scale of a network's learning rate.
using Rate = double Controls::*;

Action WithRate(const Controls& before, Rate rate, double scale) {
  const bool of_d = rate == &Controls::lr_scale_d;
  const std::string_view lower = of_d ? "lower_d_rate" : "lower_g_rate";
  const std::string_view raise = of_d ? "raise_d_rate" : "raise_g_rate";
  Action action{scale < before.*rate ? lower : raise,
                std::string(of_d ? "D" : "G") + "'s rate " + Scale(before.*rate) + " -> " + Scale(scale), before};
  action.controls.*rate = scale;
  return action;
}

// Lower and higher rates change by the same factor, so that an undone action leads back to the same rate.
Action WithLowerRate(const Controls& before, Rate rate, double least, const BalanceOptions& options) {
  return WithRate(before, rate, std::max(least, before.*rate * options.lr_factor));
}

Action WithHigherRate(const Controls& before, Rate rate, double most, const BalanceOptions& options) {
  return WithRate(before, rate, std::min(most, before.*rate / options.lr_factor));
}

Action WithInterval(const Controls& before, std::uint32_t every) {
  Action action{every > before.d_every ? "d_less_often" : "d_more_often",
                "steps per update of D " + std::to_string(before.d_every) + " -> " + std::to_string(every), before};
  action.controls.d_every = every;
  return action;
}

Action WithUpdates(const Controls& before, std::uint32_t updates) {
  Action action{updates > before.d_steps ? "more_d_steps" : "fewer_d_steps",
                "updates of D per step " + std::to_string(before.d_steps) + " -> " + std::to_string(updates), before};
  action.controls.d_steps = updates;
  return action;
}

// The controller counts the steps down; 0 ends the freeze early.
Action WithFreeze(const Controls& before, std::uint32_t steps) {
  Action action{steps > 0 ? "freeze_g" : "unfreeze_g",
                steps > 0 ? "G frozen for " + storage::Counted(steps, "step") : "G no longer frozen", before};
  action.controls.freeze_g_steps = steps;
  return action;
}

// Turns a term of the loss on or off.
Action WithSwitch(const Controls& before, bool Controls::*which, bool on) {
  Action action{"", "", before};
  if (which == &Controls::r1) {
    action.name = on ? "r1_on" : "r1_off";
    action.effect = on ? "R1 on D" : "no R1 any more";
  } else if (which == &Controls::wgan_gp) {
    action.name = on ? "wgan_gp_on" : "wgan_gp_off";
    action.effect = on ? "the losses of WGAN-GP" : "the configured losses again";
  } else {
    action.name = on ? "feature_matching_on" : "feature_matching_off";
    action.effect = on ? "G matches D's features of reals" : "no feature matching any more";
  }
  action.controls.*which = on;
  return action;
}

// Widening changes the network for good, so there is no action for the opposite.
Action Widened(const Controls& before) {
  Action action{"widen_d", "D twice as wide", before};
  action.controls.d_width = 2 * before.d_width;
  return action;
}

// The trainer compares this counter with its own and initialises D once per difference.
Action Restarted(const Controls& before) {
  Action action{"restart_d", "D initialised anew", before};
  ++action.controls.d_restarts;
  return action;
}

// D's relative learning speed: its rate times its updates per step, divided by G's rate. Base scales count too: pace
// may raise both rates at different times, so their current ratio counts.
double RelativeSpeed(const Controls& c, const BalanceOptions& options) {
  return options.d_pace * c.base_scale_d * c.lr_scale_d * c.d_steps / (c.d_every * c.base_scale_g * c.lr_scale_g);
}

// The order is the reverse of HelpDiscriminator: the strongest help is undone first.
std::optional<Action> UndoHelp(const Controls& controls, const BalanceOptions& options) {
  if (controls.freeze_g_steps > 0) return WithFreeze(controls, 0);
  if (controls.lr_scale_g < 1) return WithHigherRate(controls, &Controls::lr_scale_g, 1, options);
  if (controls.d_steps > 1) return WithUpdates(controls, controls.d_steps - 1);
  if (controls.lr_scale_d > 1) return WithLowerRate(controls, &Controls::lr_scale_d, 1, options);
  return std::nullopt;
}

std::optional<Action> UndoHolding(const Controls& controls, const BalanceOptions& options) {
  if (controls.feature_matching) return WithSwitch(controls, &Controls::feature_matching, false);
  return ReleaseDiscriminator(controls, options);
}

}  // namespace

// The controls that ReleaseDiscriminator undoes.
bool IsHeldBack(const Controls& controls) {
  return controls.wgan_gp || controls.d_every > 1 || controls.r1 || controls.lr_scale_d < 1;
}

// The controls that UndoHelp undoes, except for the frozen G, which ends by itself.
bool IsHelped(const Controls& controls) {
  return controls.freeze_g_steps > 0 || controls.d_steps > 1 || controls.lr_scale_d > 1 || controls.lr_scale_g < 1;
}

std::optional<Action> ReleaseDiscriminator(const Controls& controls, const BalanceOptions& options) {
  if (controls.wgan_gp) return WithSwitch(controls, &Controls::wgan_gp, false);
  if (controls.d_every > 1) return WithInterval(controls, controls.d_every - 1);
  if (controls.r1) return WithSwitch(controls, &Controls::r1, false);
  if (controls.lr_scale_d < 1) return WithHigherRate(controls, &Controls::lr_scale_d, 1, options);
  return std::nullopt;
}

// The mildest action comes first. An action that would make D too slow beside G is skipped, because then G collapses.
std::optional<Action> HoldDiscriminatorBack(const Controls& controls, const BalanceOptions& options) {
  // A D that is ahead needs no more help.
  if (auto action = UndoHelp(controls, options)) return action;
  const double least_of_d = std::max(options.min_lr_scale, options.min_lr_d / (options.lr_d * controls.base_scale_d));
  if (options.IsEnabled(ActionGroup::kDiscriminatorRate) && controls.lr_scale_d > least_of_d) {
    auto slower = WithLowerRate(controls, &Controls::lr_scale_d, least_of_d, options);
    if (RelativeSpeed(slower.controls, options) >= options.min_d_pace) return slower;
  }
  // R1 and the losses below have no speed to compare: they change what D learns and not how fast.
  if (options.IsEnabled(ActionGroup::kR1) && !controls.r1) return WithSwitch(controls, &Controls::r1, true);
  if (options.IsEnabled(ActionGroup::kDiscriminatorInterval) && controls.d_every < options.max_d_every) {
    auto rarer = WithInterval(controls, controls.d_every + 1);
    if (RelativeSpeed(rarer.controls, options) >= options.min_d_pace) return rarer;
  }
  if (options.IsEnabled(ActionGroup::kWganGp) && !controls.wgan_gp)
    return WithSwitch(controls, &Controls::wgan_gp, true);
  if (auto action = SpreadGenerator(controls, options)) return action;
  // Last, because it discards everything that D has learnt. MayRestart() of the controller limits how often.
  if (options.IsEnabled(ActionGroup::kRestartDiscriminator)) return Restarted(controls);
  return std::nullopt;
}

// Both limits apply: the absolute limit of G's rate and the minimum of D's relative learning speed.
double HighestGeneratorScale(const Controls& controls, const BalanceOptions& options) {
  Controls neutral = controls;
  neutral.lr_scale_g = 1;
  const double by_pace =
      options.min_d_pace > 0 ? RelativeSpeed(neutral, options) / options.min_d_pace : options.max_lr_scale_g;
  return std::max(
      1.0, std::min({options.max_lr_scale_g, options.max_lr_g / (options.lr_g * controls.base_scale_g), by_pace}));
}

// D is strengthened before G is slowed down: a fast G learns more from a strong D than a slow G from a weak one.
// Actions that hold D back are undone first.
std::optional<Action> HelpDiscriminator(const Controls& controls, const BalanceOptions& options) {
  // Steering has raised G's rate against a D that won. The rest of that rise is undone before D is helped.
  if (controls.lr_scale_g > 1) return WithLowerRate(controls, &Controls::lr_scale_g, 1, options);
  if (auto action = UndoHolding(controls, options)) return action;
  if (options.IsEnabled(ActionGroup::kDiscriminatorRate) && controls.lr_scale_d < options.max_lr_scale_d) {
    return WithHigherRate(controls, &Controls::lr_scale_d, options.max_lr_scale_d, options);
  }
  if (options.IsEnabled(ActionGroup::kDiscriminatorSteps) && controls.d_steps < options.max_d_steps) {
    return WithUpdates(controls, controls.d_steps + 1);
  }
  if (options.IsEnabled(ActionGroup::kGeneratorRate) && controls.lr_scale_g > options.min_lr_scale) {
    return WithLowerRate(controls, &Controls::lr_scale_g, options.min_lr_scale, options);
  }
  if (options.IsEnabled(ActionGroup::kWidenDiscriminator) && controls.d_width == 1) return Widened(controls);
  if (options.IsEnabled(ActionGroup::kFreezeGenerator) && controls.freeze_g_steps == 0 && options.freeze_g_for > 0) {
    return WithFreeze(controls, options.freeze_g_for);
  }
  return std::nullopt;
}

// Feature matching: images that are all alike do not have the mean features of the real images.
std::optional<Action> SpreadGenerator(const Controls& controls, const BalanceOptions& options) {
  if (!options.IsEnabled(ActionGroup::kFeatureMatching) || controls.feature_matching) return std::nullopt;
  return WithSwitch(controls, &Controls::feature_matching, true);
}

// Each collapse of the run gets a stronger response than the one before.
std::optional<Action> CollapseResponse(const Controls& controls, const BalanceOptions& options,
                                       std::uint32_t collapses_before) {
  if (collapses_before == 0 && options.IsEnabled(ActionGroup::kAugment)) {
    Action action{"more_augmentation", "augmentation at full strength from here on", controls};
    action.controls.least_augment = action.controls.augment = options.max_augment;
    return action;
  }
  if (collapses_before <= 1) {
    Action action{"lower_g_rate", "both rates halved", controls};
    // Both rates are halved, so that D's relative learning speed does not change.
    action.controls.lr_scale_d /= 2;
    action.controls.lr_scale_g /= 2;
    return action;
  }
  return Restarted(controls);
}

std::optional<Action> Undo(const Controls& controls, const BalanceOptions& options) {
  if (auto action = UndoHelp(controls, options)) return action;
  return UndoHolding(controls, options);
}

// The names are part of the checkpoint format.
void to_json(nlohmann::json& json, const Controls& controls) {
  json = {{"base_scale_d", controls.base_scale_d},
          {"base_scale_g", controls.base_scale_g},
          {"max_beta1", controls.max_beta1},
          {"lr_scale_d", controls.lr_scale_d},
          {"lr_scale_g", controls.lr_scale_g},
          {"d_every", controls.d_every},
          {"d_steps", controls.d_steps},
          {"freeze_g_steps", controls.freeze_g_steps},
          {"r1", controls.r1},
          {"wgan_gp", controls.wgan_gp},
          {"feature_matching", controls.feature_matching},
          {"augment", controls.augment},
          {"least_augment", controls.least_augment},
          {"d_restarts", controls.d_restarts},
          {"d_width", controls.d_width}};
}

void from_json(const nlohmann::json& json, Controls& controls) {
  // A default of 1, which changes nothing, continues an older run as it was.
  controls.base_scale_d = json.value("base_scale_d", 1.0);  // absent before version 6, as are the next two
  controls.base_scale_g = json.value("base_scale_g", 1.0);
  controls.max_beta1 = json.value("max_beta1", 1.0);
  json.at("lr_scale_d").get_to(controls.lr_scale_d);
  controls.lr_scale_g = json.value("lr_scale_g", 1.0);  // absent in version 3
  json.at("d_every").get_to(controls.d_every);
  json.at("d_steps").get_to(controls.d_steps);
  json.at("freeze_g_steps").get_to(controls.freeze_g_steps);
  json.at("r1").get_to(controls.r1);
  json.at("wgan_gp").get_to(controls.wgan_gp);
  json.at("feature_matching").get_to(controls.feature_matching);
  controls.augment = json.value("augment", 0.0);  // absent before version 5, as are the next two
  controls.least_augment = json.value("least_augment", 0.0);
  controls.d_restarts = json.value("d_restarts", 0U);
  json.at("d_width").get_to(controls.d_width);
}

}  // namespace gan::balance
