#include <gtest/gtest.h>

#include "tests/trainer/balance/scripted_signals.h"

namespace gan::balance {
namespace {

// Steering: the continuous answer to a D that wins.
BalanceOptions Steered() {
  BalanceOptions options = Quick();
  options.max_augment = 1;
  options.max_lr_scale_g = 4;
  options.steer_smoothing = 1;
  return options;
}

Signals Augmented(double auc) {
  Signals signals = Healthy();
  signals.auc_augmented = auc;
  return signals;
}

TEST(Steering, AugmentationRisesWithAWinningDAndFallsWithALosingOne) {
  Script script(Steered());
  script.Feed(2, Augmented(0.95));
  const double risen = script.controller.controls().augment;
  EXPECT_NEAR(risen, 2 * script.controller.options().steer_gain * (0.95 - script.controller.options().steer_auc), 1e-9);
  script.Feed(1, Augmented(0.8));
  EXPECT_LT(script.controller.controls().augment, risen);
  script.Feed(100, Augmented(0.5));
  EXPECT_EQ(script.controller.controls().augment, 0);
}

// A D that has learnt the training images by heart is at the target on augmented images and perfect on the originals.
TEST(Steering, AugmentationRisesWhenDIsPerfectOnTheOriginalsAlone) {
  Script script(Steered());
  const double target = script.controller.options().steer_auc;
  Signals signals = With(1, 1.0, 2.5);
  signals.auc_augmented = target;
  script.Feed(1, signals);
  const double above = 1 - script.controller.options().steer_original_auc;
  EXPECT_NEAR(script.controller.controls().augment, script.controller.options().steer_gain * above, 1e-9);
  script.Feed(200, signals);
  EXPECT_EQ(script.controller.controls().augment, 1);
  // An AUC below both limits lowers it again.
  signals.auc = 0.9;
  signals.auc_augmented = target - 0.1;
  script.Feed(200, signals);
  EXPECT_EQ(script.controller.controls().augment, 0);
}

TEST(Steering, AugmentationWaitsUntilThePicturesAreKnown) {
  BalanceOptions options = Steered();
  options.augment_epochs = 10;
  Script script(options);
  Signals signals = Augmented(1);
  script.Feed(100, signals);
  EXPECT_EQ(script.controller.controls().augment, 0) << "in the first epoch no picture was seen twice";
  signals.epoch = 5;
  script.Feed(100, signals);
  EXPECT_DOUBLE_EQ(script.controller.controls().augment, 0.5);
  signals.epoch = 50;
  script.Feed(100, signals);
  EXPECT_EQ(script.controller.controls().augment, 1);
}

TEST(Steering, ThePaceIsSetOnlyWhereItIsAllowed) {
  BalanceOptions options = Steered();
  options.pace_lr_g = 8e-4;
  options.action_groups = ParseActionGroups("augment");
  Script script(options);
  script.Feed(10, Healthy());
  EXPECT_EQ(script.controller.controls().base_scale_g, 1);
}

TEST(Steering, GsRateFollowsTheAucOnImagesAsTheyAre) {
  Script script(Steered());
  script.Feed(1, With(0.95, 1.0, 2.5));
  EXPECT_DOUBLE_EQ(script.controller.controls().lr_scale_g, 1 + script.controller.options().steer_rate);
  script.Feed(200, With(0.95, 1.0, 2.5));
  EXPECT_DOUBLE_EQ(script.controller.controls().lr_scale_g,
                   HighestGeneratorScale(script.controller.controls(), script.controller.options()));
  script.Feed(50, With(0.8, 1.0, 2.5));
  EXPECT_GT(script.controller.controls().lr_scale_g, 1) << "within the band it stays";
  script.Feed(200, With(0.7, 1.0, 2.5));
  EXPECT_EQ(script.controller.controls().lr_scale_g, 1);
}

TEST(Steering, ADThatIsPerfectOnTheOriginalsMeetsTheLadderAfterAugmentation) {
  BalanceOptions options = Steered();
  Signals wins = DiscriminatorWins();
  wins.auc_augmented = 0.7;
  Script script(options);
  const std::vector<Intervention> late = script.Feed(100, wins);
  EXPECT_EQ(late.front().action, "lower_d_rate");
  EXPECT_EQ(script.controller.controls().augment, 1);
  // Without a limit for the originals there is nothing to wait for.
  options.steer_original_auc = 2;
  Script unlimited(options);
  const std::vector<Intervention> early = unlimited.Feed(100, wins);
  EXPECT_EQ(early.front().action, "lower_d_rate");
  EXPECT_LT(early.front().step, late.front().step);
  EXPECT_EQ(unlimited.controller.controls().augment, 0);
}

TEST(Steering, TheLadderWaitsUntilSteeringIsAtItsEnd) {
  Script script(Steered());
  Signals wins = DiscriminatorWins();
  wins.auc_augmented = 1;
  EXPECT_TRUE(script.Feed(20, wins).empty());
  EXPECT_EQ(script.controller.verdict(), Verdict::kDiscriminatorAhead);
  EXPECT_EQ(script.Feed(100, wins).front().action, "lower_d_rate");
}

TEST(Steering, WatchingSteersNothing) {
  Script script(Watching(Steered()));
  script.Feed(100, Augmented(1));
  EXPECT_EQ(script.controller.controls(), Controls{});
}

TEST(Controller, AWayThatCollapsedIsNotTakenAgain) {
  Script script(Steered());
  EXPECT_EQ(script.controller.RespondToCollapse(100, 0).front().action, "more_augmentation");
  script.Feed(100, Augmented(0.5));
  EXPECT_EQ(script.controller.controls().augment, 1) << "from here on, whatever D's AUC";
  EXPECT_EQ(script.controller.RespondToCollapse(200, 1).front().action, "lower_g_rate");
  EXPECT_EQ(script.controller.RespondToCollapse(300, 2).front().action, "restart_d");
}

}  // namespace
}  // namespace gan::balance
