#include <algorithm>
#include <cmath>
#include <cstdio>
#include <stdexcept>
#include <utility>

#include "trainer/balance/balance.h"
#include "trainer/balance/study_rules.h"

namespace gan::balance {
namespace {

// 3 had neither a scale of G's rate nor patience, 4 no steering, 5 led no rates, 6 foretold no collapse.
constexpr int kStateVersion = 7;
constexpr std::uint32_t kMaxPatience = 64;

std::string Ahead(const char* who, const Averages& averages, const Latch& latch) {
  char text[96];
  std::snprintf(text, sizeof text, "%s ahead (AUC %.3f for %llu steps)", who, averages.auc.mean(),
                static_cast<unsigned long long>(latch.held));
  return text;
}

std::string Percent(const Averages& averages) {
  const double part = averages.diversity_ratio.mean() / std::max(averages.best_diversity_ratio, 1e-12);
  return std::to_string(std::lround(100 * part)) + " %";
}

Verdict ParseVerdict(const std::string& name) {
  for (Verdict verdict : kVerdicts) {
    if (Name(verdict) == name) return verdict;
  }
  throw std::runtime_error("the saved balance state has the unknown verdict \"" + name + "\"");
}

bool IsPossible(const Controls& c) {
  const auto possible = [](double scale, double most) { return scale > 0 && scale <= most; };
  return possible(c.base_scale_d, kMostLrScale) && possible(c.base_scale_g, kMostLrScale) && c.max_beta1 >= 0 &&
         c.max_beta1 <= 1 && possible(c.lr_scale_d, kMostLrScale) && possible(c.lr_scale_g, kMostLrScale) &&
         c.d_every >= 1 && c.d_steps >= 1 && c.d_width >= 1;
}

}  // namespace

Controller::Controller(BalanceOptions options) : options_(std::move(options)) { CheckOptions(options_); }

std::vector<Intervention> Controller::Observe(std::uint64_t step, const Signals& signals) {
  if (options_.mode == Mode::kOff) return {};
  const bool finite = IsFinite(signals);
  const bool warm = observed_ >= options_.warmup_steps;
  if (finite) {
    Update(averages_, signals, options_, warm);
    epoch_ = signals.epoch;
  }
  Update(findings_, averages_, signals, options_, warm, taken_back_ || IsHeldBack(controls_) || IsHelped(controls_));
  if (finite && observed_ >= std::uint64_t{2} * options_.warmup_steps) UpdateForecast(findings_, averages_, options_);
  verdict_ = VerdictOf(findings_);
  rollback_cause_ = RollbackCause(finite, IsBlownUp(averages_, signals, options_));
  CountSteps(finite);
  if (options_.rule != Rule::kBalance) {
    if (finite && options_.mode == Mode::kAct) controls_ = FollowStudyRule(options_.rule, controls_, signals);
    return {};
  }

  if (finite && options_.mode == Mode::kAct) Steer();

  // A D that is helped needs longer to show what it has learnt from that.
  const std::uint32_t interval = IsHelped(controls_) ? options_.help_interval : options_.action_interval;
  if (options_.mode != Mode::kAct || (acted_ && since_action_ < interval)) return {};
  auto action = NextAction();
  if (!action) return {};
  if (action->controls.d_restarts != controls_.d_restarts && !IsTimeToRestart()) return {};
  Remember(*action);
  return {{step, std::string(action->name), Cause() + ": " + action->effect}};
}

void Controller::Remember(const Action& action) {
  if (action.controls.d_restarts != controls_.d_restarts) since_restart_ = 0;
  const bool takes_back = verdict_ == Verdict::kBalanced || (findings_.IsDiscriminatorAhead() && IsHelped(controls_));
  if (taken_back_ && !takes_back) patience_ = std::min(2 * patience_, kMaxPatience);
  taken_back_ = takes_back;
  controls_ = action.controls;
  acted_ = true;
  since_action_ = 0;
}

// A D that has seen each picture few times cannot know them by heart, and augmentation would only slow it.
double Controller::MostAugment() const {
  const double known = options_.augment_epochs > 0 ? std::min(1.0, epoch_ / options_.augment_epochs) : 1;
  return std::max(LeastAugment(), options_.max_augment * known);
}

double Controller::LeastAugment() const { return std::min(controls_.least_augment, options_.max_augment); }

void Controller::Steer() {
  if (options_.IsEnabled(Remedy::kPace)) controls_ = LedToPace(controls_, options_, averages_.auc.mean(), epoch_);
  const double error = averages_.steering.mean() - options_.steer_auc;
  if (options_.IsEnabled(Remedy::kAugment)) {
    controls_.augment = std::clamp(controls_.augment + options_.steer_gain * error, LeastAugment(), MostAugment());
  }
  if (!options_.IsEnabled(Remedy::kGeneratorRate) || controls_.lr_scale_g < 1) return;  // below 1 it helps D
  const double step = options_.steer_rate;
  if (averages_.auc.mean() > options_.steer_auc + options_.steer_band / 2) {
    controls_.lr_scale_g = std::min(HighestGeneratorScale(controls_, options_), controls_.lr_scale_g * (1 + step));
  } else if (averages_.auc.mean() < options_.steer_auc - options_.steer_band) {
    controls_.lr_scale_g = std::max(1.0, controls_.lr_scale_g / (1 + step));
  }
}

// A restart costs D all that it has learnt: it waits until D has been ahead for long, whatever was done.
bool Controller::IsTimeToRestart() const {
  const std::uint64_t ahead_for = std::max(findings_.discriminator_ahead.held, findings_.perfect_discriminator.held);
  return since_restart_ >= options_.restart_interval && ahead_for >= options_.restart_interval / 2;
}

// Whether the mild, continuous means can still do something against a D that wins. Augmentation can while it is still
// on its way up: a D that is held on what it sees and yet perfect on the images as they are is out of its reach.
bool Controller::SteeringHasRoom() const {
  const bool augmentation_rises = options_.IsEnabled(Remedy::kAugment) && controls_.augment < MostAugment() &&
                                  averages_.steering.mean() > options_.steer_auc;
  const bool rate_has_room =
      options_.IsEnabled(Remedy::kGeneratorRate) && controls_.lr_scale_g < HighestGeneratorScale(controls_, options_);
  return augmentation_rises || rate_has_room;
}

std::vector<Intervention> Controller::TakeAnotherWay(std::uint64_t step, std::uint32_t collapses_before) {
  const auto way = AnotherWay(controls_, options_, collapses_before);
  if (!way) return {};
  controls_ = way->controls;
  acted_ = true;
  since_action_ = since_restart_ = 0;
  return {{step, std::string(way->name), "after a mode collapse another way: " + way->effect}};
}

void Controller::CountSteps(bool finite) {
  if (finite) ++observed_;
  ++since_action_;
  ++since_restart_;
  balanced_for_ = verdict_ == Verdict::kBalanced ? balanced_for_ + 1 : 0;
  if (controls_.freeze_g_steps > 0) --controls_.freeze_g_steps;
}

// Follows who is ahead even under a mode collapse, where a D that wins outright is part of the illness. A diverged run
// is left alone: its averages say nothing about the balance, and the trainer rolls back.
std::optional<Action> Controller::NextAction() const {
  if (verdict_ == Verdict::kDiverged) return std::nullopt;
  const auto ahead = [this](const Latch& who, auto&& remedy) {
    // What has been done is working once only the hysteresis holds the verdict: more would overshoot.
    return who.raised ? remedy(controls_, options_) : std::nullopt;
  };
  if (findings_.IsDiscriminatorAhead()) {
    // Steering is given its time, but not while the generated images stay alike.
    if (SteeringHasRoom() && !IsHelped(controls_) && !findings_.collapse_foretold.on) return std::nullopt;
    return ahead(findings_.discriminator_ahead.on ? findings_.discriminator_ahead : findings_.perfect_discriminator,
                 HoldDiscriminatorBack);
  }
  if (findings_.generator_ahead.on) return ahead(findings_.generator_ahead, HelpDiscriminator);
  if (findings_.mode_collapse.on) {
    if (auto action = SpreadGenerator(controls_, options_)) return action;
    // A D that was held back and is nearer to losing than to winning is too slow to see that the fakes are alike.
    const double middle = (options_.g_ahead_clear_auc + options_.d_ahead_clear_auc) / 2;
    if (averages_.auc.mean() < middle) return ReleaseDiscriminator(controls_, options_);
    return std::nullopt;
  }
  // What helps D costs time, what holds it back costs learning: the first is kept twice as long.
  const std::uint64_t wait = std::uint64_t{patience_} * options_.undo_steps * (IsHelped(controls_) ? 2 : 1);
  if (std::min(balanced_for_, since_action_) >= wait && IsAtEase()) return Undo(controls_, options_);
  return std::nullopt;
}

// A balance that only just holds needs what holds it: D's rate is given back while D could do with it, and D's help is
// taken away while D can do without.
bool Controller::IsAtEase() const {
  if (!IsHelped(controls_)) return averages_.auc.mean() < options_.d_ahead_clear_auc;
  return averages_.excess.empty() || averages_.excess.mean() < options_.g_ahead_excess;
}

std::string Controller::Cause() const {
  if (findings_.discriminator_ahead.on) return Ahead("D", averages_, findings_.discriminator_ahead);
  if (findings_.perfect_discriminator.on) return Ahead("D", averages_, findings_.perfect_discriminator);
  if (findings_.generator_ahead.on) return Ahead("G", averages_, findings_.generator_ahead);
  if (findings_.mode_collapse.on) return "mode collapse (diversity " + Percent(averages_) + " of the run's best)";
  return "balanced for " + std::to_string(balanced_for_) + " steps";
}

// A single step that is not finite is left out by the trainer and needs no more. A collapse asks as long as it lasts:
// the trainer chooses the moment.
std::string Controller::RollbackCause(bool finite, bool blown_up) const {
  if (options_.mode != Mode::kAct) return "";
  if (verdict_ == Verdict::kDiverged && finite && blown_up && options_.IsEnabled(Remedy::kRollback))
    return "a loss has blown up";
  if (verdict_ == Verdict::kModeCollapse && options_.IsEnabled(Remedy::kRollbackCollapse)) {
    return "mode collapse (diversity " + Percent(averages_) + " of the run's best)";
  }
  return "";
}

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
          {"taken_back", taken_back_},
          {"since_restart", since_restart_},
          {"epoch", epoch_}};
}

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
  restored.patience_ = std::clamp(state.value("patience", 1U), 1U, kMaxPatience);
  restored.taken_back_ = state.value("taken_back", false);
  restored.since_restart_ = state.value("since_restart", std::uint64_t{0});
  restored.epoch_ = state.value("epoch", 0.0);
  if (options_.mode != Mode::kAct) restored.controls_ = {};
  if (options_.mode == Mode::kOff) restored.verdict_ = Verdict::kBalanced;
  *this = restored;
} catch (const nlohmann::json::exception& error) {
  throw std::runtime_error(std::string("the saved balance state is unreadable: ") + error.what());
}

}  // namespace gan::balance
