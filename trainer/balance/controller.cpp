#include <algorithm>
#include <cmath>
#include <cstdio>
#include <stdexcept>
#include <utility>

#include "storage/counted.h"
#include "trainer/balance/balance.h"
#include "trainer/balance/pace.h"
#include "trainer/balance/study_rules.h"

namespace gan::balance {
namespace {

// Version 3 had neither a scale of G's rate nor patience, 4 no steering, 5 no base rates, 6 no expected collapse.
constexpr int kStateVersion = 7;
constexpr std::uint32_t kMaxPatience = 64;

// The text is part of the reason in the log.
std::string Ahead(const char* who, const Averages& averages, const Latch& latch) {
  char text[96];
  std::snprintf(text, sizeof text, "%s ahead (AUC %.3f for %s)", who, averages.auc.mean(),
                storage::Counted(latch.held, "step").c_str());
  return text;
}

// The current diversity relative to the best of the run.
std::string Percent(const Averages& averages) {
  const double part = averages.diversity_ratio.mean() / std::max(averages.best_diversity_ratio, 1e-12);
  return std::to_string(std::lround(100 * part)) + " %";
}

// Names instead of numbers, because enumerators may be reordered between versions.
Verdict ParseVerdict(const std::string& name) {
  for (Verdict verdict : kVerdicts) {
    if (Name(verdict) == name) return verdict;
  }
  throw std::runtime_error("the saved balance state has the unknown verdict \"" + name + "\"");
}

// Checks controls from a checkpoint, because an impossible value would fail only in a later step.
bool IsPossible(const Controls& c) {
  const auto possible = [](double scale, double most) { return scale > 0 && scale <= most; };
  return possible(c.base_scale_d, kMostLrScale) && possible(c.base_scale_g, kMostLrScale) && c.max_beta1 >= 0 &&
         c.max_beta1 <= 1 && possible(c.lr_scale_d, kMostLrScale) && possible(c.lr_scale_g, kMostLrScale) &&
         c.d_every >= 1 && c.d_steps >= 1 && c.d_width >= 1;
}

}  // namespace

Controller::Controller(BalanceOptions options) : options_(std::move(options)) { CheckOptions(options_); }

// The order matters: averages first, then conditions that depend on them, then the verdict, then one action at most.
std::vector<Intervention> Controller::Observe(std::uint64_t step, const Signals& signals) {
  if (options_.mode == Mode::kOff) return {};
  const bool finite = IsFinite(signals);
  // Checked before this step is counted, so that the warm-up has exactly that many steps.
  const bool warm = observed_ >= options_.warmup_steps;
  if (finite) {
    Update(averages_, signals, options_, warm);
    epoch_ = signals.epoch;
  }
  Update(findings_, averages_, signals, options_, warm, has_undone_ || IsHeldBack(controls_) || IsHelped(controls_));
  // Diversity is averaged only from the end of the warm-up on, and its slow average needs some steps more.
  if (finite && observed_ >= std::uint64_t{2} * options_.warmup_steps) UpdateForecast(findings_, averages_, options_);
  verdict_ = VerdictOf(findings_);
  rollback_cause_ = RollbackCause(finite, IsBlownUp(averages_, signals, options_));
  CountSteps(finite);
  // The published rules for studies replace all actions, but not the verdict.
  if (options_.rule != Rule::kBalance) {
    if (finite && options_.mode == Mode::kAct) controls_ = FollowStudyRule(options_.rule, controls_, signals);
    return {};
  }

  if (finite && options_.mode == Mode::kAct) Steer();

  // D needs longer to show the effect of help.
  const std::uint32_t interval = IsHelped(controls_) ? options_.help_interval : options_.action_interval;
  if (options_.mode != Mode::kAct || (acted_ && since_action_ < interval)) return {};
  auto action = NextAction();
  if (!action) return {};
  // A restart has its own, longer interval.
  if (action->controls.d_restarts != controls_.d_restarts && !MayRestart()) return {};
  Remember(*action);
  return {{step, std::string(action->name), Cause() + ": " + action->effect}};
}

// Undoing an action is not a new attempt: only a relapse after it increases the patience.
void Controller::Remember(const Action& action) {
  if (action.controls.d_restarts != controls_.d_restarts) since_restart_ = 0;
  const bool takes_back = verdict_ == Verdict::kBalanced || (findings_.IsDiscriminatorAhead() && IsHelped(controls_));
  // Undoing was too early if the same action is needed again.
  if (has_undone_ && !takes_back) patience_ = std::min(2 * patience_, kMaxPatience);
  has_undone_ = takes_back;
  controls_ = action.controls;
  acted_ = true;
  since_action_ = 0;
}

// Augmentation has its full strength only after some epochs: a D that has seen each image a few times cannot have
// memorised it, and augmentation would only slow it.
double Controller::MostAugment() const {
  const double known = options_.augment_epochs > 0 ? std::min(1.0, epoch_ / options_.augment_epochs) : 1;
  return std::max(LeastAugment(), options_.max_augment * known);
}

double Controller::LeastAugment() const { return std::min(controls_.least_augment, options_.max_augment); }

// How far D's AUC is above what augmentation aims at. The AUC on augmented images is what augmentation changes at once.
// A D that knows the training images by heart can have the right AUC there and a perfect one on the originals, so the
// AUC on the originals has a limit of its own.
double Controller::LackOfAugmentation() const {
  return std::max(averages_.steering.mean() - options_.steer_auc, averages_.auc.mean() - options_.steer_original_auc);
}

// Continuous steering. It is not recorded as an intervention, because it changes the controls in every step.
void Controller::Steer() {
  if (options_.IsEnabled(ActionGroup::kPace))
    controls_ = WithAdjustedBaseRates(controls_, options_, averages_.auc.mean(), epoch_);
  if (options_.IsEnabled(ActionGroup::kAugment)) {
    const double change = options_.steer_gain * LackOfAugmentation();
    controls_.augment = std::clamp(controls_.augment + change, LeastAugment(), MostAugment());
  }
  // The rates follow the AUC on the originals alone, because augmentation would hide from them how far D is ahead.
  if (!options_.IsEnabled(ActionGroup::kGeneratorRate) || controls_.lr_scale_g < 1)
    return;  // a rate below 1 helps D and is undone by actions
  const double step = options_.steer_rate;
  // The rate rises sooner than it falls: between the two limits nothing changes.
  if (averages_.auc.mean() > options_.steer_auc + options_.steer_band / 2) {
    controls_.lr_scale_g = std::min(HighestGeneratorScale(controls_, options_), controls_.lr_scale_g * (1 + step));
  } else if (averages_.auc.mean() < options_.steer_auc - options_.steer_band) {
    controls_.lr_scale_g = std::max(1.0, controls_.lr_scale_g / (1 + step));
  }
}

// A restart discards everything that D has learnt. So it waits until D has been ahead for long, whatever was done.
bool Controller::MayRestart() const {
  const std::uint64_t ahead_for = std::max(findings_.discriminator_ahead.held, findings_.perfect_discriminator.held);
  // A new D needs time to learn. If it were restarted again at once, G would learn nothing from it.
  return since_restart_ >= options_.restart_interval && ahead_for >= options_.restart_interval / 2;
}

// Whether steering can still act against a D that wins. Augmentation can while it is still rising.
bool Controller::SteeringHasRoom() const {
  const bool augmentation_rises =
      options_.IsEnabled(ActionGroup::kAugment) && controls_.augment < MostAugment() && LackOfAugmentation() > 0;
  const bool rate_has_room = options_.IsEnabled(ActionGroup::kGeneratorRate) &&
                             controls_.lr_scale_g < HighestGeneratorScale(controls_, options_);
  return augmentation_rises || rate_has_room;
}

// The intervals start again, because the rollback has changed the situation.
std::vector<Intervention> Controller::RespondToCollapse(std::uint64_t step, std::uint32_t collapses_before) {
  const auto way = CollapseResponse(controls_, options_, collapses_before);
  if (!way) return {};
  controls_ = way->controls;
  acted_ = true;
  since_action_ = since_restart_ = 0;
  return {{step, std::string(way->name), "changed after a mode collapse: " + way->effect}};
}

// Counters advance in steps that are not finite too, except for `observed_`, which counts what the averages contain.
void Controller::CountSteps(bool finite) {
  if (finite) ++observed_;
  ++since_action_;
  ++since_restart_;
  balanced_for_ = verdict_ == Verdict::kBalanced ? balanced_for_ + 1 : 0;
  // Counts down also in steps that are not finite, because a series of such steps would otherwise keep G frozen.
  if (controls_.freeze_g_steps > 0) --controls_.freeze_g_steps;
}

// The next action for the present conditions. It depends on who is ahead even during a mode collapse, because a D that
// wins outright contributes to it. Nothing is done in a diverged run: its averages say nothing about the balance, and
// the trainer rolls back.
std::optional<Action> Controller::NextAction() const {
  if (verdict_ == Verdict::kDiverged) return std::nullopt;
  const auto ahead = [this](const Latch& who, auto&& group) {
    // When only the hysteresis keeps the condition, the earlier actions are working, and another one would overshoot.
    return who.raised ? group(controls_, options_) : std::nullopt;
  };
  if (findings_.IsDiscriminatorAhead()) {
    // Steering gets time to work, but not while the generated images stay similar to each other.
    if (SteeringHasRoom() && !IsHelped(controls_) && !findings_.collapse_foretold.on) return std::nullopt;
    return ahead(findings_.discriminator_ahead.on ? findings_.discriminator_ahead : findings_.perfect_discriminator,
                 HoldDiscriminatorBack);
  }
  if (findings_.generator_ahead.on) return ahead(findings_.generator_ahead, HelpDiscriminator);
  if (findings_.mode_collapse.on) {
    if (auto action = SpreadGenerator(controls_, options_)) return action;
    // A held-back D that is closer to losing than to winning is too slow to notice that the generated images are alike.
    const double middle = (options_.g_ahead_clear_auc + options_.d_ahead_clear_auc) / 2;
    if (averages_.auc.mean() < middle) return ReleaseDiscriminator(controls_, options_);
    return std::nullopt;
  }
  // Help for D costs time, holding D back costs learning; so help is kept twice as long.
  const std::uint64_t wait = std::uint64_t{patience_} * options_.undo_steps * (IsHelped(controls_) ? 2 : 1);
  // Both counters must be high enough: the balance must have lasted, and with the present controls.
  if (std::min(balanced_for_, since_action_) >= wait && IsStable()) return Undo(controls_, options_);
  return std::nullopt;
}

// Whether the balance is stable enough to undo an action. A balance that only just holds needs its actions: D is
// released while its AUC is low enough, and help ends while D's normalised loss is low enough.
bool Controller::IsStable() const {
  if (!IsHelped(controls_)) return averages_.auc.mean() < options_.d_ahead_clear_auc;
  return averages_.normalised_loss.empty() || averages_.normalised_loss.mean() < options_.g_ahead_excess;
}

// The reason in the log: the condition that led to the action.
std::string Controller::Cause() const {
  if (findings_.discriminator_ahead.on) return Ahead("D", averages_, findings_.discriminator_ahead);
  if (findings_.perfect_discriminator.on) return Ahead("D", averages_, findings_.perfect_discriminator);
  if (findings_.generator_ahead.on) return Ahead("G", averages_, findings_.generator_ahead);
  if (findings_.mode_collapse.on) return "mode collapse (diversity " + Percent(averages_) + " of the run's best)";
  return "balanced for " + storage::Counted(balanced_for_, "step");
}

// A single step that is not finite is skipped by the trainer and needs no rollback. A mode collapse gives a cause as
// long as it lasts; the trainer decides when to roll back.
std::string Controller::RollbackCause(bool finite, bool blown_up) const {
  if (options_.mode != Mode::kAct) return "";
  if (verdict_ == Verdict::kDiverged && finite && blown_up && options_.IsEnabled(ActionGroup::kRollback))
    return "a loss has blown up";
  if (verdict_ == Verdict::kModeCollapse && options_.IsEnabled(ActionGroup::kRollbackCollapse)) {
    return "mode collapse (diversity " + Percent(averages_) + " of the run's best)";
  }
  return "";
}

// Everything that the next decision depends on, except the options, which come from the run's flags.
nlohmann::json Controller::Save() const {
  return {{"version", kStateVersion},
          {"averages", averages_},
          {"findings", findings_},
          {"verdict", Name(verdict_)},
          {"controls", controls_},
          {"observed", observed_},
          {"balanced_for", balanced_for_},
          {"since_action", since_action_},
          {"acted", acted_},
          {"patience", patience_},
          // A member that is renamed, as here, keeps its old name in checkpoints.
          {"taken_back", has_undone_},
          {"since_restart", since_restart_},
          {"epoch", epoch_}};
}

// Restores into a new controller first, so that an invalid state leaves this one unchanged.
void Controller::Restore(const nlohmann::json& state) try {
  const int version = state.at("version").get<int>();
  if (version < 3 || version > kStateVersion) throw std::runtime_error("the saved balance state has another version");
  Controller restored(options_);
  state.at("averages").get_to(restored.averages_);
  state.at("findings").get_to(restored.findings_);
  restored.verdict_ = ParseVerdict(state.at("verdict").get<std::string>());
  state.at("controls").get_to(restored.controls_);
  if (!IsPossible(restored.controls_)) throw std::runtime_error("the saved balance state has impossible controls");
  state.at("observed").get_to(restored.observed_);
  state.at("balanced_for").get_to(restored.balanced_for_);
  state.at("since_action").get_to(restored.since_action_);
  state.at("acted").get_to(restored.acted_);
  // Clamped, because 0 would undo every action at once, and a large value none.
  restored.patience_ = std::clamp(state.value("patience", 1U), 1U, kMaxPatience);
  // Members that older versions lack get their initial values.
  restored.has_undone_ = state.value("taken_back", false);
  restored.since_restart_ = state.value("since_restart", std::uint64_t{0});
  restored.epoch_ = state.value("epoch", 0.0);
  // Controls of an acting run must not stay in force when the controller no longer acts.
  if (options_.mode != Mode::kAct) restored.controls_ = {};
  if (options_.mode == Mode::kOff) restored.verdict_ = Verdict::kBalanced;
  *this = restored;
} catch (const nlohmann::json::exception& error) {
  throw std::runtime_error(std::string("the saved balance state is unreadable: ") + error.what());
}

}  // namespace gan::balance
