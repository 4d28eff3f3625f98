#include "trainer/balance/actions.h"

#include <algorithm>
#include <cstdio>

namespace gan::balance {
namespace {

std::string Scale(double scale) {
  char text[32];
  std::snprintf(text, sizeof text, "x%.4g", scale);
  return text;
}

Action WithRate(const Controls& before, double scale) {
  Action action{scale < before.lr_scale_d ? "lower_d_rate" : "raise_d_rate",
                "D's rate " + Scale(before.lr_scale_d) + " -> " + Scale(scale), before};
  action.controls.lr_scale_d = scale;
  return action;
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

Action WithFreeze(const Controls& before, std::uint32_t steps) {
  Action action{steps > 0 ? "freeze_g" : "unfreeze_g",
                steps > 0 ? "G frozen for " + std::to_string(steps) + " steps" : "G no longer frozen", before};
  action.controls.freeze_g_steps = steps;
  return action;
}

std::optional<Action> UndoHelp(const Controls& controls) {
  if (controls.freeze_g_steps > 0) return WithFreeze(controls, 0);
  if (controls.d_steps > 1) return WithUpdates(controls, controls.d_steps - 1);
  return std::nullopt;
}

std::optional<Action> UndoHolding(const Controls& controls, const BalanceOptions& options) {
  if (controls.d_every > 1) return WithInterval(controls, controls.d_every - 1);
  if (controls.lr_scale_d < 1) return WithRate(controls, std::min(1.0, controls.lr_scale_d / options.lr_factor));
  return std::nullopt;
}

}  // namespace

std::optional<Action> HoldDiscriminatorBack(const Controls& controls, const BalanceOptions& options) {
  if (auto action = UndoHelp(controls)) return action;
  if (controls.lr_scale_d > options.min_lr_scale) {
    return WithRate(controls, std::max(options.min_lr_scale, controls.lr_scale_d * options.lr_factor));
  }
  if (controls.d_every < options.max_d_every) return WithInterval(controls, controls.d_every + 1);
  return std::nullopt;
}

std::optional<Action> HelpDiscriminator(const Controls& controls, const BalanceOptions& options) {
  if (auto action = UndoHolding(controls, options)) return action;
  if (controls.d_steps < options.max_d_steps) return WithUpdates(controls, controls.d_steps + 1);
  if (controls.freeze_g_steps == 0 && options.freeze_g_for > 0) return WithFreeze(controls, options.freeze_g_for);
  return std::nullopt;
}

std::optional<Action> Undo(const Controls& controls, const BalanceOptions& options) {
  if (auto action = UndoHelp(controls)) return action;
  return UndoHolding(controls, options);
}

void to_json(nlohmann::json& json, const Controls& controls) {
  json = {{"lr_scale_d", controls.lr_scale_d},
          {"d_every", controls.d_every},
          {"d_steps", controls.d_steps},
          {"freeze_g_steps", controls.freeze_g_steps}};
}

void from_json(const nlohmann::json& json, Controls& controls) {
  json.at("lr_scale_d").get_to(controls.lr_scale_d);
  json.at("d_every").get_to(controls.d_every);
  json.at("d_steps").get_to(controls.d_steps);
  json.at("freeze_g_steps").get_to(controls.freeze_g_steps);
}

}  // namespace gan::balance
