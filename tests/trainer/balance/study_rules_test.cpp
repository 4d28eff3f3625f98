#include "trainer/balance/study_rules.h"

#include <gtest/gtest.h>

#include "tests/trainer/balance/scripted_signals.h"

namespace gan::balance {
namespace {

Controls After(Rule rule, int steps, const Signals& signals) {
  BalanceOptions options = Quick();
  options.rule = rule;
  Script script(options);
  EXPECT_TRUE(script.Feed(steps, signals).empty()) << "a study rule takes no discrete steps";
  return script.controller.controls();
}

TEST(StudyRules, TheNetworkWithTheLowerLossLearnsSlower) {
  const Controls d_ahead = After(Rule::kLosses, 5, With(0.99, 0.7, 4));
  EXPECT_LT(d_ahead.lr_scale_d, 1);
  EXPECT_GT(d_ahead.lr_scale_g, 1);
  const Controls g_ahead = After(Rule::kLosses, 5, With(0.5, 1.4, 0.1));
  EXPECT_GT(g_ahead.lr_scale_d, 1);
  EXPECT_LT(g_ahead.lr_scale_g, 1);
  EXPECT_EQ(After(Rule::kLosses, 5, With(0.8, 1.4, 0.7)), Controls{}) << "level losses change nothing";
}

TEST(StudyRules, ADThatIsMostlyRightHasItsRateLoweredByATwentieth) {
  EXPECT_DOUBLE_EQ(After(Rule::kAccuracies, 1, With(0.9, 1, 1)).lr_scale_d, 0.95);
  EXPECT_DOUBLE_EQ(After(Rule::kAccuracies, 1, With(0.5, 1, 1)).lr_scale_d, 1.05);
  EXPECT_EQ(After(Rule::kAccuracies, 5, With(0.7, 1, 1)), Controls{});
}

TEST(StudyRules, RatesStayWithinAnEighthAndEightTimes) {
  const Controls far = After(Rule::kLosses, 500, With(0.99, 0.7, 9));
  EXPECT_DOUBLE_EQ(far.lr_scale_d, 0.125);
  EXPECT_DOUBLE_EQ(far.lr_scale_g, 8);
}

}  // namespace
}  // namespace gan::balance
