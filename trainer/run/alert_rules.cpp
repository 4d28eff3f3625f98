#include "trainer/run/alert_rules.h"

#include <algorithm>
#include <array>

namespace gan::run {

using monitoring::Alert;
using monitoring::Severity;

namespace {

constexpr std::array<std::string_view, 5> kHeavy = {"rollback", "restart_d", "widen_d", "wgan_gp_on", "freeze_g"};

std::string Words(balance::Verdict verdict) {
  std::string words(balance::Name(verdict));
  std::replace(words.begin(), words.end(), '_', ' ');
  return words;
}

nlohmann::json Facts(std::uint64_t step, std::uint64_t images, balance::Verdict verdict) {
  return {{"step", step}, {"images", images}, {"verdict", balance::Name(verdict)}};
}

}  // namespace

bool IsHeavy(std::string_view action) { return std::find(kHeavy.begin(), kHeavy.end(), action) != kHeavy.end(); }

std::vector<Alert> AlertRules::Observe(std::uint64_t step, std::uint64_t images, balance::Verdict verdict,
                                       const std::vector<balance::Intervention>& interventions) {
  std::vector<Alert> alerts;
  const auto add = [&](const std::string& event, Severity severity, const std::string& text) -> nlohmann::json& {
    alerts.push_back({event, severity, "step " + std::to_string(step) + ": " + text, Facts(step, images, verdict)});
    return alerts.back().details;
  };
  for (const balance::Intervention& done : interventions) {
    // Small interventions of the balance are normal in every healthy run.
    if (IsHeavy(done.action)) add("intervention", Severity::kWarning, done.reason)["action"] = done.action;
  }
  // A rollback goes back to earlier steps, so the current verdict then begins anew.
  if (verdict != verdict_ || step < since_) {
    if (told_ && verdict == balance::Verdict::kBalanced) {
      add("verdict_over", Severity::kInfo, "balanced again, after " + Words(verdict_));
    }
    verdict_ = verdict;
    since_ = step;
    told_ = false;
  }
  // A verdict that comes and goes within some steps is ordinary training.
  const bool lasts = step - since_ >= kLastingSteps && verdict != balance::Verdict::kBalanced;
  if (lasts && !told_) {
    const bool is_lost = verdict == balance::Verdict::kModeCollapse || verdict == balance::Verdict::kDiverged;
    add("verdict", is_lost ? Severity::kCritical : Severity::kWarning,
        Words(verdict) + " for " + std::to_string(step - since_) + " steps")["since_step"] = since_;
    told_ = true;
  }
  return alerts;
}

}  // namespace gan::run
