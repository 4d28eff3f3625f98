#include "trainer/balance/pace.h"

#include <algorithm>

namespace gan::balance {
namespace {

// The change per step grows with the width of a network (Yang and Hu, "Tensor Programs IV", 2021), so a rate that suits
// 8 features is too high for a wide one. The DCGAN paper's rate suits its own width and all smaller ones.
double ForWidth(double rate_at_8, double configured, const BalanceOptions& options) {
  if (rate_at_8 <= 0) return 0;
  return std::max({rate_at_8 * 8 / std::max(options.features, 8U), kPaperRate, configured});
}

// Without averaging over steps each update follows the noise of its own batch, so a low first beta needs a lower rate.
// The factor was measured at 0 (decision 40).
double FactorOfBeta1(const BalanceOptions& options) { return std::min(1.0, (1 - kPaperBeta1) / (1 - options.beta1)); }

// D's target rate while its images are new. A low first beta lowers it only as far as G's rate is low too: against a G
// whose configured rate is high, a slower D loses (decision 40).
double FreshRateOfD(const BalanceOptions& options) {
  const double lowest = TargetRate(options.pace_lr_d, options.lr_d, options);
  const double highest = ForWidth(options.pace_lr_d, options.lr_d, options);
  return std::clamp(std::max(TargetRate(options.pace_lr_g, options.lr_g, options), options.lr_g), lowest, highest);
}

// A D that sees the same images again overfits to them, faster at a higher rate; so the upper limit falls with the
// epochs.
double HighestRateOfD(const BalanceOptions& options, double epoch) {
  const double fresh = FreshRateOfD(options);
  return std::min(fresh, std::max(fresh / (1 + epoch / options.pace_epochs), kPaperRate));
}

// The target of D's base rate, which is `now`: either end of its range, or 0 for no change. Between the two conditions
// the rate does not change. Without this range it would move back and forth in every step.
double TargetRateOfD(const BalanceOptions& options, double now, double auc, double epoch) {
  const double fast = HighestRateOfD(options, epoch);
  const double slow = std::min(fast, std::max(options.slow_pace_d * fast, kPaperRate));
  if (now > fast || auc < options.steer_auc) return fast;
  if (now < slow || auc > options.steer_auc + options.steer_band / 2) return slow;
  return 0;
}

// Moves `scale` towards `target` by at most the fraction `step`.
double Towards(double scale, double target, double step) {
  return scale < target ? std::min(target, scale * (1 + step)) : std::max(target, scale / (1 + step));
}

}  // namespace

double TargetRate(double rate_at_8, double configured, const BalanceOptions& options) {
  return ForWidth(rate_at_8 * FactorOfBeta1(options), configured, options);
}

Controls WithAdjustedBaseRates(Controls controls, const BalanceOptions& options, double auc, double epoch) {
  const auto lead = [&](double& scale, double configured, double rate) {
    if (configured <= 0 || rate <= 0) return;
    scale = Towards(scale, std::min(rate / configured, kMostLrScale), options.steer_rate);
  };
  lead(controls.base_scale_g, options.lr_g, TargetRate(options.pace_lr_g, options.lr_g, options));
  lead(controls.base_scale_d, options.lr_d, TargetRateOfD(options, options.lr_d * controls.base_scale_d, auc, epoch));
  controls.max_beta1 = options.pace_beta1;
  return controls;
}

}  // namespace gan::balance
