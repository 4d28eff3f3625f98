#include "trainer/balance/study_rules.h"

#include <algorithm>

namespace gan::balance {
namespace {

constexpr double kLeast = 0.125, kMost = 8;
constexpr double kShare = 0.05;  // fraction by which a rate changes per step

double Scaled(double scale, double factor) { return std::clamp(scale * factor, kLeast, kMost); }

// The difference between G's loss and half of D's total loss; 0 means balance, positive means that D is ahead.
Controls FollowLosses(Controls controls, const Signals& signals) {
  // Limited to 1, so that no loss changes a rate by more than kShare in one step.
  const double lead = std::clamp(signals.loss_g - signals.loss_d / 2, -1.0, 1.0);
  controls.lr_scale_d = Scaled(controls.lr_scale_d, 1 - kShare * lead);
  controls.lr_scale_g = Scaled(controls.lr_scale_g, 1 + kShare * lead);
  return controls;
}

Controls FollowAccuracies(Controls controls, const Signals& signals) {
  const auto [low, high] = std::minmax(signals.accuracy_real, signals.accuracy_fake);
  // Both accuracies must agree: D may recognise all real images by calling everything real.
  if (low > 0.8) controls.lr_scale_d = Scaled(controls.lr_scale_d, 1 - kShare);
  if (high < 0.6) controls.lr_scale_d = Scaled(controls.lr_scale_d, 1 + kShare);
  return controls;
}

}  // namespace

Controls FollowStudyRule(Rule rule, const Controls& controls, const Signals& signals) {
  return rule == Rule::kLosses ? FollowLosses(controls, signals) : FollowAccuracies(controls, signals);
}

}  // namespace gan::balance
