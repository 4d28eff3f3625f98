#include <gtest/gtest.h>

#include "tests/trainer/balance/scripted_signals.h"

namespace gan::balance {
namespace {

TEST(Controller, FirstActionComesWithTheVerdictAndItsReasonInWords) {
  BalanceOptions options;
  options.warmup_steps = 0;
  options.max_augment = 0;
  options.max_lr_scale_g = 1;
  options.action_groups = ParseActionGroups("d-rate");
  Script script(options);
  EXPECT_TRUE(script.Feed(19, DiscriminatorWins()).empty());
  const auto done = script.Feed(1, DiscriminatorWins());
  ASSERT_EQ(done.size(), 1U);
  EXPECT_EQ(done[0].step, 20U);
  EXPECT_EQ(done[0].action, "lower_d_rate");
  EXPECT_EQ(done[0].reason, "D ahead (AUC 0.998 for 20 steps): D's rate x1 -> x0.5");
  EXPECT_EQ(script.controller.controls(), (Controls{.lr_scale_d = 0.5}));
}

TEST(Controller, ABlownUpLossAsksForARollbackWhileItLasts) {
  Script script(Quick());
  script.Feed(60, Healthy());
  Signals blown_up = Healthy();
  blown_up.loss_d *= 1000;
  script.Feed(1, blown_up);
  EXPECT_EQ(script.controller.rollback_cause(), "a loss has blown up");
  script.Feed(1, blown_up);
  EXPECT_EQ(script.controller.rollback_cause(), "a loss has blown up") << "there may have been no way back before";
  script.Feed(1, Healthy());
  EXPECT_EQ(script.controller.rollback_cause(), "");
}

TEST(Controller, ABlowUpSoonAfterAStepThatIsNotFiniteStillAsksForARollback) {
  Script script(Quick());
  script.Feed(60, Healthy());
  Signals broken = Healthy();
  broken.finite = false;
  script.Feed(1, broken);
  EXPECT_EQ(script.controller.rollback_cause(), "") << "a single step that is not finite is left out";
  script.Feed(1, Healthy());
  Signals blown_up = Healthy();
  blown_up.loss_d *= 1000;
  script.Feed(1, blown_up);
  EXPECT_EQ(script.controller.rollback_cause(), "a loss has blown up");
}

TEST(Controller, ADThatStaysPerfectBeginsAnewButNotAllTheTime) {
  BalanceOptions options = Quick();
  options.action_groups = ParseActionGroups("restart-d");
  options.restart_interval = 50;
  Script script(options);
  const auto done = script.Feed(151, DiscriminatorWins());
  ASSERT_EQ(done.size(), 3U);
  EXPECT_EQ(done[1].step - done[0].step, 50U);
}

TEST(Controller, NoRollbackIsAskedForThatIsNotAllowed) {
  BalanceOptions options = Quick();
  options.action_groups = ParseActionGroups("d-rate");
  Script script(options);
  script.Feed(60, Healthy());
  Signals blown_up = Healthy();
  blown_up.loss_d *= 1000;
  script.Feed(1, blown_up);
  EXPECT_EQ(script.controller.verdict(), Verdict::kDiverged);
  EXPECT_EQ(script.controller.rollback_cause(), "");
}

TEST(Controller, ActionsKeepTheirInterval) {
  Script script(Quick());
  const auto done = script.Feed(60, DiscriminatorWins());
  ASSERT_EQ(done.size(), 6U);  // the whole ladder, then nothing more
  for (std::size_t i = 1; i < done.size(); ++i) EXPECT_EQ(done[i].step - done[i - 1].step, 5U);
  EXPECT_EQ(script.controller.controls(), (Controls{.lr_scale_d = 0.125, .d_every = 4}));
}

TEST(Controller, BackInBalanceItUndoesOneAtATimeToNeutral) {
  Script script(Quick());
  script.Feed(60, DiscriminatorWins());
  const auto done = script.Feed(200, Healthy());
  ASSERT_EQ(done.size(), 6U);
  EXPECT_EQ(done.front().action, "d_more_often");
  EXPECT_EQ(done.front().reason, "balanced for 10 steps: steps per update of D 4 -> 3");
  EXPECT_EQ(done.back().action, "raise_d_rate");
  EXPECT_EQ(script.controller.controls(), Controls{});
}

TEST(Controller, NothingIsUndoneBeforeTheBalanceHasLasted) {
  Script script(Quick());
  script.Feed(3, DiscriminatorWins());
  EXPECT_TRUE(script.Feed(3 + 8, Healthy()).empty());  // three until the verdict clears, the third counting as balanced
  EXPECT_EQ(script.Feed(1, Healthy()).size(), 1U);
}

TEST(Controller, EachRelapseDoublesThePatienceBeforeTheNextUndo) {
  Script script(Quick());
  for (const int patience : {1, 2, 4, 8, 16, 32, 64, 64}) {
    SCOPED_TRACE(patience);
    ASSERT_EQ(script.Feed(3, DiscriminatorWins()).size(), 1U);
    ASSERT_EQ(script.controller.controls().lr_scale_d, 0.5);
    ASSERT_TRUE(script.Feed(2 + 10 * patience - 1, Healthy()).empty());
    ASSERT_EQ(script.Feed(1, Healthy()).front().action, "raise_d_rate");
    script.Feed(5, Healthy());  // the interval between two actions
  }
}

TEST(Controller, WhatHoldsABalanceThatOnlyJustHoldsIsKept) {
  Script strong_d(Quick());
  strong_d.Feed(3, DiscriminatorWins());
  EXPECT_TRUE(strong_d.Feed(50, With(0.96, 1.2, 2.5)).empty());
  EXPECT_EQ(strong_d.controller.verdict(), Verdict::kBalanced);
  EXPECT_EQ(strong_d.Feed(3, Healthy()).front().action, "raise_d_rate");

  Script weak_d(Quick());
  weak_d.Feed(3, GeneratorWins());
  EXPECT_TRUE(weak_d.Feed(50, With(0.90, 1.31, 2.5)).empty());
  EXPECT_EQ(weak_d.controller.verdict(), Verdict::kBalanced);
  EXPECT_EQ(weak_d.Feed(3, Healthy()).front().action, "lower_d_rate");
}

TEST(Controller, AfterHelpWasTakenBackARelapseOfDIsSeenSooner) {
  BalanceOptions options = Quick();
  options.g_raise_steps = 30;
  const Signals nearly_silent = With(0.7, 1.364, 1.0);  // normalised_loss 0.97
  Script script(options);
  EXPECT_TRUE(script.Feed(100, nearly_silent).empty());
  ASSERT_EQ(script.Feed(30, GeneratorWins()).back().action, "raise_d_rate");
  ASSERT_EQ(script.Feed(25, Healthy()).size(), 1U);
  EXPECT_EQ(script.Feed(6, nearly_silent).front().action, "raise_d_rate");
}

TEST(Controller, ADThatWasHeldBackTooFarIsReleasedSooner) {
  BalanceOptions options = Quick();
  options.g_raise_steps = 30;
  Script script(options);
  ASSERT_EQ(script.Feed(3, DiscriminatorWins()).size(), 1U);
  const auto done = script.Feed(10, With(0.7, 1.364, 1.0));
  ASSERT_EQ(done.size(), 1U);
  EXPECT_EQ(done[0].action, "raise_d_rate");
}

TEST(Controller, HelpIsKeptTwiceAsLong) {
  Script held(Quick()), helped(Quick());
  held.Feed(3, DiscriminatorWins());
  helped.Feed(3, GeneratorWins());
  EXPECT_EQ(held.Feed(2 + 10, Healthy()).size(), 1U);
  EXPECT_TRUE(helped.Feed(2 + 19, Healthy()).empty());
  EXPECT_EQ(helped.Feed(1, Healthy()).size(), 1U);
}

TEST(Controller, GeneratorAheadFreezesGAndCountsItDown) {
  Script script(Quick());
  const auto done = script.Feed(3 + 8 * 5, GeneratorWins());
  ASSERT_EQ(done.size(), 9U);
  EXPECT_EQ(done.back().action, "freeze_g");
  EXPECT_EQ(done.back().reason, "G ahead (AUC 0.510 for 43 steps): G frozen for 4 steps");
  EXPECT_EQ(script.controller.controls(),
            (Controls{.lr_scale_d = 4, .lr_scale_g = 0.125, .d_steps = 4, .freeze_g_steps = 4}));
  script.Feed(3, GeneratorWins());
  EXPECT_EQ(script.controller.controls().freeze_g_steps, 1U);
  script.Feed(1, GeneratorWins());
  EXPECT_EQ(script.controller.controls().freeze_g_steps, 0U);
  EXPECT_EQ(script.Feed(1, GeneratorWins()).front().action, "freeze_g");
}

TEST(Controller, GeneratorAheadFirstUndoesWhatHeldDBack) {
  Script script(Quick());
  script.Feed(3, DiscriminatorWins());
  ASSERT_EQ(script.controller.controls().lr_scale_d, 0.5);
  EXPECT_EQ(script.Feed(5, GeneratorWins()).front().action, "raise_d_rate");
  EXPECT_EQ(script.controller.controls(), Controls{});
}

TEST(Controller, WatchJudgesButNeverActs) {
  Script script(Watching(Quick()));
  EXPECT_TRUE(script.Feed(200, DiscriminatorWins()).empty());
  EXPECT_EQ(script.controller.verdict(), Verdict::kDiscriminatorAhead);
  EXPECT_EQ(script.controller.controls(), Controls{});
}

TEST(Controller, OffIsBalancedWhateverComes) {
  BalanceOptions options = Quick();
  options.mode = Mode::kOff;
  Script script(options);
  Signals broken = DiscriminatorWins();
  broken.finite = false;
  EXPECT_TRUE(script.Feed(100, broken).empty());
  EXPECT_TRUE(script.Feed(100, GeneratorWins()).empty());
  EXPECT_EQ(script.controller.verdict(), Verdict::kBalanced);
}

TEST(Controller, DivergedRunIsLeftAlone) {
  Script script(Quick());
  script.Feed(3, DiscriminatorWins());
  Signals broken = DiscriminatorWins();
  broken.finite = false;
  EXPECT_TRUE(script.Feed(50, broken).empty());
  EXPECT_EQ(script.controller.controls(), (Controls{.lr_scale_d = 0.5}));
}

TEST(Controller, CollapseWithAWinningDStillHoldsDBack) {
  Script script(Quick());
  Signals collapsed = DiscriminatorWins();
  collapsed.diversity = 0.05;
  collapsed.diversity_reference = 0.8;
  Signals diverse = Healthy();
  diverse.diversity = 0.5;
  diverse.diversity_reference = 0.8;
  script.Feed(3, diverse);
  EXPECT_EQ(script.Feed(3, collapsed).size(), 1U);
  EXPECT_EQ(script.controller.verdict(), Verdict::kModeCollapse);
}

TEST(Controller, NothingMoreIsDoneOnceOnlyTheHysteresisHoldsTheVerdict) {
  Script script(Quick());
  ASSERT_EQ(script.Feed(3, DiscriminatorWins()).size(), 1U);
  const Signals recovering = With(0.96, 0.80, 3);  // between raising and clearing
  EXPECT_TRUE(script.Feed(50, recovering).empty());
  EXPECT_EQ(script.controller.verdict(), Verdict::kDiscriminatorAhead);
  EXPECT_EQ(script.Feed(5, DiscriminatorWins()).size(), 1U);
}

TEST(Controller, HelpGrowsUntilTheConditionBeginsToClear) {
  Script script(Quick());
  ASSERT_EQ(script.Feed(3, GeneratorWins()).size(), 1U);
  EXPECT_EQ(script.Feed(5, With(0.7, 1.330, 1.0)).size(), 1U)
      << "excess 0.92: not enough for a first help, yet for more";
  EXPECT_TRUE(script.Feed(50, With(0.7, 1.290, 1.0)).empty()) << "excess 0.87: cleared, but not at ease";
  EXPECT_EQ(script.controller.verdict(), Verdict::kBalanced);
}

TEST(Controller, AHelpedDHasLongerToShowWhatItHasLearnt) {
  BalanceOptions options = Quick();
  options.help_interval = 12;
  Script script(options);
  ASSERT_EQ(script.Feed(3, GeneratorWins()).size(), 1U);
  EXPECT_TRUE(script.Feed(11, GeneratorWins()).empty());
  EXPECT_EQ(script.Feed(1, GeneratorWins()).size(), 1U);
  EXPECT_TRUE(script.Feed(11, DiscriminatorWins()).empty());
  EXPECT_EQ(script.Feed(1, DiscriminatorWins()).front().action, "lower_d_rate");
}

TEST(Controller, HelpThatADAheadLostComesBackSooner) {
  BalanceOptions options = Quick();
  options.g_raise_steps = 30;
  Script script(options);
  ASSERT_EQ(script.Feed(30, GeneratorWins()).size(), 1U);
  ASSERT_EQ(script.Feed(5, DiscriminatorWins()).front().action, "lower_d_rate");
  ASSERT_EQ(script.controller.controls(), Controls{});
  EXPECT_EQ(script.Feed(8, With(0.7, 1.364, 1.0)).front().action, "raise_d_rate") << "excess 0.97";
}

TEST(Controller, ACollapseUnderAHeldBackDThatLosesReleasesIt) {
  Script script(Quick());
  Signals winning = DiscriminatorWins();
  winning.diversity = 0.5;
  winning.diversity_reference = 0.8;
  ASSERT_EQ(script.Feed(3, winning).size(), 1U);
  Signals collapsed = With(0.90, 1.0, 2.5);
  collapsed.diversity = 0.05;
  collapsed.diversity_reference = 0.8;
  EXPECT_TRUE(script.Feed(30, collapsed).empty()) << "D still does well";
  ASSERT_EQ(script.controller.verdict(), Verdict::kModeCollapse);
  collapsed.auc = 0.70;
  const auto done = script.Feed(1, collapsed);
  ASSERT_EQ(done.size(), 1U);
  EXPECT_EQ(done[0].action, "raise_d_rate");
}

}  // namespace
}  // namespace gan::balance
