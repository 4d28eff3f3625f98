// The action pace: leads both learning rates to those at which networks of their width learn well.
#pragma once

#include "trainer/balance/options.h"

namespace gan::balance {

// The learning rate of the DCGAN paper (Radford, Metz and Chintala, 2016).
inline constexpr double kPaperRate = 2e-4, kPaperBeta1 = 0.5;

// The learning rate that suits networks of `options.features` and Adam's first beta `options.beta1`, when `rate_at_8`
// suits 8 features and the paper's beta. A lower beta has a lower rate: half of it at 0. The rate is never lower than
// the DCGAN paper's, and never lower than `configured`. 0 when `rate_at_8` is 0: the rate is not changed.
double TargetRate(double rate_at_8, double configured, const BalanceOptions& options);

// Moves both base rates one step towards the rates at which networks of this width learn well. G's rate rises towards
// its target. D's rate rises while `auc`, its AUC on images without augmentation, is below the band that steering aims
// at, and falls while `auc` is above it. The upper limit of D's rate decreases with the number of epochs. Also limits
// Adam's first beta to the value that GANs tolerate (BalanceOptions::pace_beta1).
Controls WithAdjustedBaseRates(Controls controls, const BalanceOptions& options, double auc, double epoch);

}  // namespace gan::balance
