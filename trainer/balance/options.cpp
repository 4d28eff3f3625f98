#include "trainer/balance/options.h"

#include <sstream>
#include <string>

#include "storage/errors.h"

namespace gan::balance {
namespace {

ActionGroup ParseActionGroup(const std::string& word) {
  const auto* group = cli::Find(word, kActionGroups);
  if (group == nullptr) {
    throw UsageError("balance: \"" + word + "\" is not an action; the actions are " + cli::Names(kActionGroups));
  }
  return group->value;
}

// what: the name of an option and the range that is allowed.
void Require(bool good, const char* what) {
  if (!good) throw UsageError(std::string("balance: ") + what);
}

// One list of the fields for writing and reading, so that neither can omit one.
template <typename Options, typename Visitor>
void VisitThresholds(Options& o, Visitor&& visit) {
  // Users write these names (--balance-set) and checkpoints contain them, so they are never renamed.
  visit("smoothing_steps", o.smoothing_steps);
  visit("d_ahead_auc", o.d_ahead_auc);
  visit("d_ahead_clear_auc", o.d_ahead_clear_auc);
  visit("g_ahead_auc", o.g_ahead_auc);
  visit("g_ahead_clear_auc", o.g_ahead_clear_auc);
  visit("collapse_diversity", o.collapse_diversity);
  visit("collapse_least", o.collapse_least);
  visit("raise_steps", o.raise_steps);
  visit("clear_steps", o.clear_steps);
  visit("warmup_steps", o.warmup_steps);
  visit("action_interval", o.action_interval);
  visit("help_interval", o.help_interval);
  visit("lr_factor", o.lr_factor);
  visit("min_lr_scale", o.min_lr_scale);
  visit("max_lr_scale_d", o.max_lr_scale_d);
  visit("min_d_pace", o.min_d_pace);
  visit("max_d_every", o.max_d_every);
  visit("max_d_steps", o.max_d_steps);
  visit("freeze_g_for", o.freeze_g_for);
  visit("d_ahead_excess", o.d_ahead_excess);
  visit("d_ahead_clear_excess", o.d_ahead_clear_excess);
  visit("g_ahead_excess", o.g_ahead_excess);
  visit("g_ahead_clear_excess", o.g_ahead_clear_excess);
  visit("g_sure_excess", o.g_sure_excess);
  visit("g_sure_clear_excess", o.g_sure_clear_excess);
  visit("g_raise_steps", o.g_raise_steps);
  visit("d_ahead_diversity", o.d_ahead_diversity);
  visit("d_ahead_clear_diversity", o.d_ahead_clear_diversity);
  visit("sure_accuracy", o.sure_accuracy);
  visit("sure_auc", o.sure_auc);
  visit("collapse_clear_factor", o.collapse_clear_factor);
  visit("blow_up_excess", o.blow_up_excess);
  visit("blow_up_factor", o.blow_up_factor);
  visit("undo_steps", o.undo_steps);
  visit("r1_gamma", o.r1_gamma);
  visit("matching_weight", o.matching_weight);
  visit("steer_auc", o.steer_auc);
  visit("steer_original_auc", o.steer_original_auc);
  visit("steer_gain", o.steer_gain);
  visit("steer_band", o.steer_band);
  visit("steer_rate", o.steer_rate);
  visit("steer_smoothing", o.steer_smoothing);
  visit("max_augment", o.max_augment);
  visit("max_lr_scale_g", o.max_lr_scale_g);
  visit("max_lr_g", o.max_lr_g);
  visit("min_lr_d", o.min_lr_d);
  visit("pace_lr_g", o.pace_lr_g);
  visit("pace_lr_d", o.pace_lr_d);
  visit("slow_pace_d", o.slow_pace_d);
  visit("pace_epochs", o.pace_epochs);
  visit("pace_beta1", o.pace_beta1);
  visit("augment_epochs", o.augment_epochs);
  visit("perfect_steps", o.perfect_steps);
  visit("foretell_auc", o.foretell_auc);
  visit("foretell_diversity", o.foretell_diversity);
  visit("foretell_growth", o.foretell_growth);
  visit("foretell_steps", o.foretell_steps);
  visit("restart_interval", o.restart_interval);
}

}  // namespace

std::string_view Name(Mode mode) { return cli::NameOf(mode, kModes); }

Mode ParseMode(std::string_view name) {
  const auto* mode = cli::Find(name, kModes);
  if (mode == nullptr) {
    throw UsageError("balance: \"" + std::string(name) + "\" is not one of " + cli::Names(kModes));
  }
  return mode->value;
}

std::string_view Name(ActionGroup group) { return cli::NameOf(group, kActionGroups); }

// An empty list is not an error here: the flag itself rejects empty values.
std::set<ActionGroup> ParseActionGroups(const std::string& names) {
  std::set<ActionGroup> action_groups;
  if (names == "none") return action_groups;
  if (names == "all") {
    for (const auto& group : kActionGroups) action_groups.insert(group.value);
    return action_groups;
  }
  std::istringstream words(names);
  for (std::string word; std::getline(words, word, ',');) action_groups.insert(ParseActionGroup(word));
  return action_groups;
}

// The conditions are written so that NaN fails all of them.
void CheckOptions(const BalanceOptions& o) {
  // Where a verdict has two thresholds, the one that clears it is on the healthy side of the one that raises it. In the
  // reverse order it would be raised and cleared alternately.
  Require(o.smoothing_steps >= 1 && o.smoothing_steps <= 1e6, "smoothing_steps must be 1 to 1000000");
  Require(o.d_ahead_clear_auc <= o.d_ahead_auc, "d_ahead_clear_auc must not be above d_ahead_auc");
  Require(o.g_ahead_clear_auc >= o.g_ahead_auc, "g_ahead_clear_auc must not be below g_ahead_auc");
  Require(o.g_ahead_clear_auc <= o.d_ahead_clear_auc, "g_ahead_clear_auc must not be above d_ahead_clear_auc");
  Require(o.d_ahead_clear_excess >= o.d_ahead_excess, "d_ahead_clear_excess must not be below d_ahead_excess");
  Require(o.g_ahead_clear_excess <= o.g_ahead_excess, "g_ahead_clear_excess must not be above g_ahead_excess");
  Require(o.g_sure_clear_excess <= o.g_sure_excess, "g_sure_clear_excess must not be above g_sure_excess");
  Require(o.d_ahead_clear_diversity >= o.d_ahead_diversity,
          "d_ahead_clear_diversity must not be below d_ahead_diversity");
  Require(o.min_d_pace >= 0, "min_d_pace must be at least 0");
  Require(o.collapse_diversity >= 0 && o.collapse_diversity <= 1, "collapse_diversity must be 0 to 1");
  Require(o.collapse_clear_factor >= 1, "collapse_clear_factor must be at least 1");
  Require(o.sure_accuracy >= 0 && o.sure_accuracy <= 1, "sure_accuracy must be 0 to 1");
  Require(o.collapse_least >= 0, "collapse_least must be at least 0");
  Require(o.sure_auc >= 0.5 && o.sure_auc <= 1, "sure_auc must be 0.5 to 1");
  Require(o.blow_up_excess > 1, "blow_up_excess must be above 1");
  Require(o.blow_up_factor > 1, "blow_up_factor must be above 1");
  Require(o.lr_factor > 0 && o.lr_factor < 1, "lr_factor must be between 0 and 1");
  Require(o.min_lr_scale > 0 && o.min_lr_scale <= 1, "min_lr_scale must be above 0 and at most 1");
  Require(o.max_lr_scale_d >= 1 && o.max_lr_scale_d <= kMostLrScale, "max_lr_scale_d must be 1 to 1000");
  Require(o.max_d_every >= 1 && o.max_d_steps >= 1, "max_d_every and max_d_steps must be at least 1");
  Require(o.r1_gamma > 0 && o.matching_weight > 0, "r1_gamma and matching_weight must be above 0");
  Require(o.raise_steps >= 1 && o.clear_steps >= 1, "raise_steps and clear_steps must be at least 1");
  Require(o.pace_lr_g >= 0 && o.pace_lr_d >= 0, "pace_lr_g and pace_lr_d must be at least 0");
  Require(o.slow_pace_d > 0 && o.slow_pace_d <= 1, "slow_pace_d must be above 0 and at most 1");
  Require(o.pace_beta1 >= 0 && o.pace_beta1 <= 1, "pace_beta1 must be 0 to 1");
  Require(o.pace_epochs > 0 && o.augment_epochs >= 0, "pace_epochs must be above 0, augment_epochs at least 0");
  Require(o.g_raise_steps >= 1, "g_raise_steps must be at least 1");
  Require(o.steer_original_auc >= 0.5 && o.steer_original_auc <= 2, "steer_original_auc must be 0.5 to 2");
  Require(o.foretell_steps >= 1, "foretell_steps must be at least 1");
  Require(o.foretell_growth > 0, "foretell_growth must be above 0");
}

void to_json(nlohmann::json& json, const BalanceOptions& options) {
  // The name "remedies" is part of the checkpoint format.
  json = {{"mode", Name(options.mode)}, {"remedies", nlohmann::json::array()}};
  for (const ActionGroup group : options.action_groups) json["remedies"].push_back(Name(group));
  VisitThresholds(options, [&](const char* name, const auto& field) { json[name] = field; });
}

// Checkpoints of older versions lack newer fields, which then have their defaults.
void from_json(const nlohmann::json& json, BalanceOptions& options) {
  options = {};
  if (json.contains("mode")) options.mode = ParseMode(json.at("mode").get<std::string>());
  if (json.contains("remedies")) {
    options.action_groups.clear();
    for (const auto& name : json.at("remedies"))
      options.action_groups.insert(ParseActionGroup(name.get<std::string>()));
  }
  VisitThresholds(options, [&](const char* name, auto& field) {
    if (json.contains(name)) json.at(name).get_to(field);
  });
}

}  // namespace gan::balance
