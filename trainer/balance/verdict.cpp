#include "trainer/balance/verdict.h"

#include <algorithm>

namespace gan::balance {
namespace {

// Whether the loss or another criterion agrees with a high AUC that D is ahead. D's loss alone is not enough: smoothed
// labels give an over-confident D a large loss.
bool ConfirmsDiscriminator(const Averages& a, double most_excess, const BalanceOptions& o) {
  const bool sure = std::min(a.accuracy_real.mean(), a.accuracy_fake.mean()) >= o.sure_accuracy ||
                    (a.auc.mean() >= o.sure_auc && a.normalised_loss.mean() <= o.d_ahead_clear_excess);
  return a.normalised_loss.empty() || a.normalised_loss.mean() <= most_excess || sure;
}

// Whether D can hardly distinguish real from generated images, by its AUC and, if known, by its normalised loss.
bool CannotDistinguish(const Averages& a, double most_auc, double least_excess) {
  return a.auc.mean() <= most_auc && (a.normalised_loss.empty() || a.normalised_loss.mean() >= least_excess);
}

// Whether D's loss shows that G gets hardly any gradient from D.
bool GivesNoGradient(const Averages& a, double least_excess) {
  return !a.normalised_loss.empty() && a.normalised_loss.mean() >= least_excess;
}

// D counts as ahead only if that does harm. In healthy runs, D often wins although the images are diverse.
void UpdateDiscriminatorAhead(Latch& latch, const Averages& a, const BalanceOptions& o) {
  const auto harms = [&](double most) { return a.diversity_ratio.empty() || a.diversity_ratio.mean() < most; };
  const bool raise =
      a.auc.mean() >= o.d_ahead_auc && ConfirmsDiscriminator(a, o.d_ahead_excess, o) && harms(o.d_ahead_diversity);
  const bool stays = a.auc.mean() > o.d_ahead_clear_auc && ConfirmsDiscriminator(a, o.d_ahead_clear_excess, o) &&
                     harms(o.d_ahead_clear_diversity);
  latch.Update(raise, !stays, o.raise_steps, o.clear_steps);
}

// An almost perfect AUC for a long time is a problem even if the loss and the diversity look healthy.
void UpdatePerfectDiscriminator(Latch& latch, const Averages& a, const BalanceOptions& o) {
  // Cleared below the lower threshold, so that an AUC near sure_auc does not switch it on and off.
  latch.Update(a.auc.mean() >= o.sure_auc, a.auc.mean() < o.d_ahead_auc, o.perfect_steps, o.clear_steps);
}

// `acted_upon` lowers the threshold: see Update() in verdict.h.
void UpdateGeneratorAhead(Latch& latch, const Averages& a, const BalanceOptions& o, bool acted_upon) {
  const bool stays =
      CannotDistinguish(a, o.g_ahead_clear_auc, o.g_ahead_clear_excess) || GivesNoGradient(a, o.g_sure_clear_excess);
  if (acted_upon) return latch.Update(stays, !stays, o.raise_steps, o.clear_steps);
  const bool raise = CannotDistinguish(a, o.g_ahead_auc, o.g_ahead_excess) || GivesNoGradient(a, o.g_sure_excess);
  latch.Update(raise, !stays, o.g_raise_steps, o.clear_steps);
}

void UpdateModeCollapse(Latch& latch, const Averages& a, const BalanceOptions& o) {
  if (a.diversity_ratio.empty()) return;
  // The best diversity of the run is the reference, because data sets differ in how diverse their images are.
  const double kept = a.diversity_ratio.mean() / std::max(a.best_diversity_ratio, 1e-12);
  const bool raise = a.best_diversity_ratio >= o.collapse_least && kept < o.collapse_diversity;
  latch.Update(raise, kept > o.collapse_diversity * o.collapse_clear_factor, o.raise_steps, o.clear_steps);
}

}  // namespace

std::string_view Name(Verdict verdict) {
  constexpr std::string_view names[] = {"balanced", "discriminator_ahead", "generator_ahead", "mode_collapse",
                                        "diverged"};
  return names[static_cast<int>(verdict)];
}

// Counts consecutive steps towards the change that is possible now, and changes the state when there are enough.
void Latch::Update(bool raise, bool clear, std::uint32_t raise_steps, std::uint32_t clear_steps) {
  raised = raise;
  if (on) ++held;
  run = (on ? clear : raise) ? run + 1 : 0;
  if (run < (on ? clear_steps : raise_steps)) return;
  on = !on;
  held = on ? run : 0;
  run = 0;
}

// For conditions that need no confirmation by further steps.
void Latch::RaiseNow() {
  held = on ? held + 1 : 1;
  on = true;
  run = 0;
}

void Update(Findings& findings, const Averages& averages, const Signals& signals, const BalanceOptions& options,
            bool warm, bool acted_upon) {
  if (!IsFinite(signals)) {
    findings.diverged.RaiseNow();
    return;  // the signals of such a step say nothing about who is ahead
  }
  const bool blown_up = IsBlownUp(averages, signals, options);
  if (blown_up) {
    findings.diverged.RaiseNow();  // one such step is enough, because it affects the optimizers' moments
  } else {
    // A blow-up ends only after clear_steps quiet steps: losses that swing up and down are one blow-up.
    findings.diverged.Update(false, true, options.raise_steps, options.clear_steps);
  }
  // New networks show every kind of imbalance.
  if (!warm) return;
  UpdateDiscriminatorAhead(findings.discriminator_ahead, averages, options);
  UpdatePerfectDiscriminator(findings.perfect_discriminator, averages, options);
  UpdateGeneratorAhead(findings.generator_ahead, averages, options, acted_upon);
  UpdateModeCollapse(findings.mode_collapse, averages, options);
}

// The rule is described at BalanceOptions::foretell_auc.
void UpdateForecast(Findings& findings, const Averages& a, const BalanceOptions& o) {
  if (a.diversity_ratio.empty()) return;
  const double ratio = a.diversity_ratio.mean();
  const bool stands_still = ratio < o.foretell_growth * a.slow_diversity_ratio.mean();
  const bool raise = a.auc.mean() >= o.foretell_auc && ratio < o.foretell_diversity && stands_still;
  findings.collapse_foretold.Update(raise, !raise, o.foretell_steps, o.foretell_steps);
}

// Several conditions may hold; the verdict is the one that is handled first.
Verdict VerdictOf(const Findings& findings) {
  // A collapse comes before a D that is ahead, because a D that recognises collapsed images is ahead as a consequence.
  if (findings.diverged.on) return Verdict::kDiverged;
  if (findings.mode_collapse.on) return Verdict::kModeCollapse;
  if (findings.IsDiscriminatorAhead()) return Verdict::kDiscriminatorAhead;
  if (findings.generator_ahead.on) return Verdict::kGeneratorAhead;
  return Verdict::kBalanced;
}

void to_json(nlohmann::json& json, const Latch& latch) { json = {latch.on, latch.run, latch.held}; }

void from_json(const nlohmann::json& json, Latch& latch) {
  json.at(0).get_to(latch.on);
  json.at(1).get_to(latch.run);
  json.at(2).get_to(latch.held);
}

void to_json(nlohmann::json& json, const Findings& findings) {
  json = {{"discriminator_ahead", findings.discriminator_ahead},
          {"generator_ahead", findings.generator_ahead},
          {"mode_collapse", findings.mode_collapse},
          {"diverged", findings.diverged},
          {"perfect_discriminator", findings.perfect_discriminator},
          {"collapse_foretold", findings.collapse_foretold}};
}

void from_json(const nlohmann::json& json, Findings& findings) {
  json.at("discriminator_ahead").get_to(findings.discriminator_ahead);
  json.at("generator_ahead").get_to(findings.generator_ahead);
  json.at("mode_collapse").get_to(findings.mode_collapse);
  json.at("diverged").get_to(findings.diverged);
  // Absent in older checkpoints.
  if (json.contains("perfect_discriminator")) json.at("perfect_discriminator").get_to(findings.perfect_discriminator);
  if (json.contains("collapse_foretold")) json.at("collapse_foretold").get_to(findings.collapse_foretold);
}

}  // namespace gan::balance
