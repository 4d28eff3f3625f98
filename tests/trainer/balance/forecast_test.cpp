#include <gtest/gtest.h>

#include "scripted_signals.h"

namespace gan::balance {
namespace {

// D wins and the generated images are `ratio` as diverse as the real ones.
Signals Alike(double ratio, double auc = 0.97) {
  Signals signals = With(auc, 0.8, 3.0);
  signals.diversity = 0.25 * ratio;
  signals.diversity_reference = 0.25;
  return signals;
}

// Steps until a collapse is foretold; 0: not within `most`.
template <typename SignalsOfStep>
int FirstForetold(Script& script, int most, const SignalsOfStep& signals) {
  for (int i = 1; i <= most; ++i) {
    script.Feed(1, signals(i));
    if (script.controller.IsCollapseForetold()) return i;
  }
  return 0;
}

TEST(Forecast, ImagesThatStayAlikeBeforeAWinningDiscriminatorAreTold) {
  Script script(Watching({}));
  const int first = FirstForetold(script, 400, [](int) { return Alike(0.15); });
  EXPECT_EQ(first, 140);  // twice the warm-up, and 40 steps in a row
  EXPECT_NE(script.controller.verdict(), Verdict::kModeCollapse);
}

TEST(Forecast, AHealthyRunBecomesMoreDiverse) {
  Script script(Watching({}));
  EXPECT_EQ(FirstForetold(script, 400, [](int step) { return Alike(0.05 + 0.001 * step); }), 0);
}

TEST(Forecast, ADiscriminatorThatCanBeFooledForetellsNothing) {
  Script script(Watching({}));
  EXPECT_EQ(FirstForetold(script, 400, [](int) { return Alike(0.15, 0.9); }), 0);
}

TEST(Forecast, ItEndsWhenTheImagesBecomeDiverse) {
  Script script(Watching({}));
  script.Feed(200, Alike(0.15));
  ASSERT_TRUE(script.controller.IsCollapseForetold());
  script.Feed(100, Alike(0.6));
  EXPECT_FALSE(script.controller.IsCollapseForetold());
}

TEST(Forecast, IsPartOfTheSavedState) {
  Script script(Watching({}));
  script.Feed(130, Alike(0.15));  // not yet foretold: the count and the slow average matter
  Script resumed(Watching({}));
  resumed.controller.Restore(script.controller.Save());
  resumed.step = script.step;
  EXPECT_EQ(FirstForetold(script, 100, [](int) { return Alike(0.15); }),
            FirstForetold(resumed, 100, [](int) { return Alike(0.15); }));
}

// While augmentation may still rise, an acting controller waits for it, but not once a collapse is foretold.
TEST(Forecast, AnActingControllerNoLongerWaitsForAugmentation) {
  BalanceOptions options;
  options.action_groups = ParseActionGroups("augment,d-rate");
  options.augment_epochs = 0;
  options.steer_gain = 1e-6;  // steering always has room left
  options.d_ahead_auc = 0.96;
  options.d_ahead_excess = 0.5;
  Script patient(options), warned(options);
  Signals signals = Alike(0.5);
  signals.auc_augmented = 0.95;
  EXPECT_TRUE(patient.Feed(300, signals).empty());
  signals.diversity = 0.25 * 0.15;
  const auto actions = warned.Feed(300, signals);
  ASSERT_FALSE(actions.empty());
  EXPECT_EQ(actions.front().action, "lower_d_rate");
  EXPECT_GE(actions.front().step, 140U);
}

}  // namespace
}  // namespace gan::balance
