#include "trainer/balance/pace.h"

#include <cstdint>
#include <utility>

#include <gtest/gtest.h>

#include "storage/errors.h"
#include "trainer/balance/options.h"

namespace gan::balance {
namespace {

// Both rates after many steps with this AUC, from those in `options` on.
std::pair<double, double> Led(const BalanceOptions& options, double auc, double epoch) {
  Controls controls;
  for (int i = 0; i < 200; ++i) controls = WithAdjustedBaseRates(controls, options, auc, epoch);
  return {options.lr_g * controls.base_scale_g, options.lr_d * controls.base_scale_d};
}

// Both rates after many steps, from two low rates on.
std::pair<double, double> LedRates(BalanceOptions options, std::uint32_t features, double auc, double epoch = 0) {
  options.features = features;
  options.lr_g = 1e-4;
  options.lr_d = 5e-5;
  return Led(options, auc, epoch);
}

TEST(Pace, RatesAreLedUpToThoseOfTheWidth) {
  const BalanceOptions options;
  EXPECT_NEAR(LedRates(options, 8, 0.7).first, options.pace_lr_g, 1e-12);
  EXPECT_NEAR(LedRates(options, 8, 0.7).second, options.pace_lr_d, 1e-12);
  EXPECT_NEAR(LedRates(options, 2, 0.7).first, options.pace_lr_g, 1e-12) << "a narrower one learns at no higher rate";
  EXPECT_NEAR(LedRates(options, 16, 0.7).first, options.pace_lr_g / 2, 1e-12);
  EXPECT_NEAR(LedRates(options, 64, 0.7).first, 2e-4, 1e-12) << "a wide network keeps the seed's rate";
}

TEST(Pace, ALowFirstBetaHasLowerRatesAndAHighOneNoHigherOnes) {
  BalanceOptions options;
  const auto rates = [&](double beta1, std::uint32_t features) {
    options.beta1 = beta1;
    return LedRates(options, features, 0.7);
  };
  EXPECT_NEAR(rates(0, 8).first, options.pace_lr_g / 2, 1e-12);
  EXPECT_NEAR(rates(0, 8).second, options.pace_lr_d / 2, 1e-12);
  EXPECT_NEAR(rates(0.25, 8).first, options.pace_lr_g * 2 / 3, 1e-12);
  EXPECT_NEAR(rates(0.9, 8).first, options.pace_lr_g, 1e-12) << "pace limits the beta to that of the paper";
  EXPECT_NEAR(rates(0, 32).first, 2e-4, 1e-12) << "no lower than the paper's rate";
}

TEST(Pace, AgainstAFastGALowFirstBetaLeavesDsRate) {
  BalanceOptions options;
  options.beta1 = 0;
  options.features = 8;
  options.lr_d = 1e-4;
  const auto rate_of_d = [&](double lr_g) {
    options.lr_g = lr_g;
    return Led(options, 0.7, 0).second;
  };
  EXPECT_NEAR(rate_of_d(1e-4), options.pace_lr_d / 2, 1e-12);
  EXPECT_NEAR(rate_of_d(6e-4), 6e-4, 1e-12) << "as fast as G";
  EXPECT_NEAR(rate_of_d(2e-3), options.pace_lr_d, 1e-12) << "no faster than with the paper's beta";
}

TEST(Pace, DsRateIsLedDownWhileItWinsAndNoFurtherThanTheLeast) {
  BalanceOptions options;
  EXPECT_NEAR(LedRates(options, 8, 0.95).second, options.pace_lr_d * options.slow_pace_d, 1e-12);
  EXPECT_NEAR(LedRates(options, 64, 0.95).second, 2e-4, 1e-12) << "the seed's rate is slow enough";
  EXPECT_EQ(LedRates(options, 8, 0.95).first, LedRates(options, 8, 0.7).first);
}

TEST(Pace, DsHighestRateFallsWithTheEpochsToTheSeedsRate) {
  const BalanceOptions options;
  EXPECT_NEAR(LedRates(options, 8, 0.7, options.pace_epochs).second, options.pace_lr_d / 2, 1e-12);
  EXPECT_NEAR(LedRates(options, 8, 0.7, 1e6).second, 2e-4, 1e-12);
  EXPECT_NEAR(LedRates(options, 8, 0.7, 1e6).first, options.pace_lr_g, 1e-12) << "G's does not";
}

TEST(Pace, WithinTheBandDsRateStays) {
  BalanceOptions options;
  options.features = 8;
  options.lr_d = 4e-4;
  EXPECT_EQ(WithAdjustedBaseRates({}, options, options.steer_auc + options.steer_band / 4, 0).base_scale_d, 1);
}

TEST(Pace, ARateThatIsHigherAlreadyStaysButForADThatWins) {
  BalanceOptions options;
  options.features = 8;
  options.lr_g = options.lr_d = 2e-3;
  EXPECT_EQ(WithAdjustedBaseRates({}, options, 0.7, 0), Controls{.max_beta1 = options.pace_beta1});
  const Controls wins = WithAdjustedBaseRates({}, options, 0.95, 0);
  EXPECT_EQ(wins.base_scale_g, 1);
  EXPECT_DOUBLE_EQ(wins.base_scale_d, 1 / (1 + options.steer_rate));
}

TEST(Pace, ATinyRateIsLedNoFurtherThanACheckpointMayHold) {
  BalanceOptions options;
  options.features = 8;
  options.lr_g = 1e-9;
  Controls controls;
  for (int i = 0; i < 2000; ++i) controls = WithAdjustedBaseRates(controls, options, 0.7, 0);
  EXPECT_EQ(controls.base_scale_g, kMostLrScale);
}

TEST(Pace, ImpossibleThresholdsAreRefused) {
  BalanceOptions options;
  EXPECT_NO_THROW(CheckOptions(options));
  for (double BalanceOptions::*field :
       {&BalanceOptions::pace_lr_g, &BalanceOptions::slow_pace_d, &BalanceOptions::pace_beta1,
        &BalanceOptions::pace_epochs, &BalanceOptions::augment_epochs}) {
    BalanceOptions wrong;
    wrong.*field = -1;
    EXPECT_THROW(CheckOptions(wrong), UsageError);
  }
}

TEST(Pace, OneStepMovesARateByItsPart) {
  BalanceOptions options;
  options.features = 8;
  EXPECT_DOUBLE_EQ(WithAdjustedBaseRates({}, options, 0.7, 0).base_scale_g, 1 + options.steer_rate);
}

TEST(Pace, ARateIsLeftAsConfiguredWithoutAGoal) {
  BalanceOptions options;
  options.pace_lr_d = options.pace_lr_g = 0;
  EXPECT_EQ(WithAdjustedBaseRates({}, options, 0.99, 0), Controls{.max_beta1 = options.pace_beta1});
}

}  // namespace
}  // namespace gan::balance
