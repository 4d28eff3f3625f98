#include "trainer/balance/verdict.h"

#include <gtest/gtest.h>

#include <limits>

#include "tests/trainer/balance/scripted_signals.h"

namespace gan::balance {
namespace {

Verdict After(const BalanceOptions& options, int steps, const Signals& signals) {
  Script script(options);
  script.Feed(steps, signals);
  return script.controller.verdict();
}

TEST(Verdict, EveryNameIsItsOwn) {
  EXPECT_EQ(Name(Verdict::kBalanced), "balanced");
  EXPECT_EQ(Name(Verdict::kDiscriminatorAhead), "discriminator_ahead");
  EXPECT_EQ(Name(Verdict::kGeneratorAhead), "generator_ahead");
  EXPECT_EQ(Name(Verdict::kModeCollapse), "mode_collapse");
  EXPECT_EQ(Name(Verdict::kDiverged), "diverged");
}

TEST(Verdict, HealthyTrainingStaysBalanced) {
  Script script(BalanceOptions{});
  for (double auc : {0.80, 0.97, 0.85, 0.93, 0.97}) {
    EXPECT_TRUE(script.Feed(100, With(auc, 0.9, 3)).empty());
    EXPECT_EQ(script.controller.verdict(), Verdict::kBalanced) << auc;
  }
}

TEST(Verdict, PerfectEarlyStepsAreForgivenInTheWarmUp) {
  Script script(BalanceOptions{});
  EXPECT_TRUE(script.Feed(45, With(1.0, 0.66, 6)).empty());
  EXPECT_TRUE(script.Feed(300, Healthy()).empty());
}

TEST(Verdict, DiscriminatorAheadIsRaisedAfterRaiseStepsAndNotBefore) {
  EXPECT_EQ(After(Watching(Quick()), 2, DiscriminatorWins()), Verdict::kBalanced);
  EXPECT_EQ(After(Watching(Quick()), 3, DiscriminatorWins()), Verdict::kDiscriminatorAhead);
}

TEST(Verdict, WarmUpDelaysItAll) {
  BalanceOptions options = Watching(Quick());
  options.warmup_steps = 10;
  EXPECT_EQ(After(options, 12, DiscriminatorWins()), Verdict::kBalanced);
  EXPECT_EQ(After(options, 13, DiscriminatorWins()), Verdict::kDiscriminatorAhead);
}

TEST(Verdict, GeneratorAheadIsRaised) {
  EXPECT_EQ(After(Watching(Quick()), 2, GeneratorWins()), Verdict::kBalanced);
  EXPECT_EQ(After(Watching(Quick()), 3, GeneratorWins()), Verdict::kGeneratorAhead);
}

TEST(Verdict, OneStepBetweenStartsTheCountAnew) {
  Script script(Watching(Quick()));
  script.Feed(2, DiscriminatorWins());
  script.Feed(1, Healthy());
  script.Feed(2, DiscriminatorWins());
  EXPECT_EQ(script.controller.verdict(), Verdict::kBalanced);
}

TEST(Verdict, BetweenClearAndRaiseNothingChanges) {
  const Signals between = With(0.965, 0.70, 4);
  EXPECT_EQ(After(Watching(Quick()), 100, between), Verdict::kBalanced);
  Script script(Watching(Quick()));
  script.Feed(3, DiscriminatorWins());
  script.Feed(100, between);
  EXPECT_EQ(script.controller.verdict(), Verdict::kDiscriminatorAhead);
  script.Feed(2, Healthy());
  EXPECT_EQ(script.controller.verdict(), Verdict::kDiscriminatorAhead);
  script.Feed(1, Healthy());
  EXPECT_EQ(script.controller.verdict(), Verdict::kBalanced);
}

TEST(Verdict, GeneratorAheadHasHysteresisToo) {
  Script script(Watching(Quick()));
  script.Feed(3, GeneratorWins());
  script.Feed(100, With(0.58, 1.3, 0.8));
  EXPECT_EQ(script.controller.verdict(), Verdict::kGeneratorAhead);
  script.Feed(3, With(0.70, 1.2, 1.0));
  EXPECT_EQ(script.controller.verdict(), Verdict::kBalanced);
}

TEST(Verdict, ALargeLossOfDContradictsItsAuc) {
  Signals signals = With(0.99, 1.2, 2);
  signals.accuracy_real = signals.accuracy_fake = 0.8;
  EXPECT_EQ(After(Watching(Quick()), 50, signals), Verdict::kBalanced);
}

TEST(Verdict, AnOverconfidentDIsAheadThoughItsLossIsLarge) {
  EXPECT_EQ(After(Watching(Quick()), 50, With(0.999, 2.0, 12)), Verdict::kDiscriminatorAhead);
}

TEST(Verdict, WithoutLossBoundsTheAucDecides) {
  Signals signals = With(0.99, -30, 40);
  signals.loss_d_floor = signals.loss_d_ceiling = signals.accuracy_real = signals.accuracy_fake = 0;
  EXPECT_EQ(After(Watching(Quick()), 50, signals), Verdict::kDiscriminatorAhead);
}

Signals WithDiversity(double diversity) {
  Signals signals = Healthy();
  signals.diversity_reference = 0.8;
  signals.diversity = diversity;
  return signals;
}

TEST(Verdict, ADThatWinsWhileTheFakesAreDiverseDoesNoHarm) {
  Signals signals = DiscriminatorWins();
  signals.diversity_reference = 0.36;
  signals.diversity = 0.45;
  Script healthy(Quick());
  healthy.Feed(100, signals);
  EXPECT_EQ(healthy.controller.verdict(), Verdict::kBalanced);
  signals.diversity = 0.2;
  Script poor(Quick());
  poor.Feed(100, signals);
  EXPECT_EQ(poor.controller.verdict(), Verdict::kDiscriminatorAhead);
}

TEST(Verdict, ADThatIsPerfectForLongIsAheadHoweverDiverseTheFakesAre) {
  BalanceOptions options = Watching(Quick());
  options.perfect_steps = 60;
  Signals signals = DiscriminatorWins();
  signals.diversity_reference = 0.36;
  signals.diversity = 0.45;
  EXPECT_EQ(After(options, 59, signals), Verdict::kBalanced);
  EXPECT_EQ(After(options, 60, signals), Verdict::kDiscriminatorAhead);
}

TEST(Verdict, ModeCollapseIsTheLossOfDiversityThatTheRunHad) {
  Script script(Watching(Quick()));
  script.Feed(50, WithDiversity(0.4));
  EXPECT_EQ(script.controller.verdict(), Verdict::kBalanced);
  script.Feed(50, WithDiversity(0.25));
  EXPECT_EQ(script.controller.verdict(), Verdict::kBalanced);
  script.Feed(3, WithDiversity(0.1));
  EXPECT_EQ(script.controller.verdict(), Verdict::kModeCollapse);
}

TEST(Verdict, AnUntrainedGeneratorHasNotCollapsed) {
  Script script(Watching(Quick()));
  for (double diversity = 0.01; diversity < 0.3; diversity += 0.01) {
    script.Feed(10, WithDiversity(diversity));
    EXPECT_EQ(script.controller.verdict(), Verdict::kBalanced) << diversity;
  }
}

TEST(Verdict, DiversityThatNeverCameIsNotLost) {
  Script script(Watching(Quick()));
  script.Feed(5, WithDiversity(0.06));  // below collapse_least of the reals'
  script.Feed(50, WithDiversity(0.001));
  EXPECT_EQ(script.controller.verdict(), Verdict::kBalanced);
}

TEST(Verdict, ASurelyPerfectAucNeedsNoLowLoss) {
  Signals signals = With(1.0, 0.978, 1.5);  // normalised_loss 0.45
  signals.accuracy_real = signals.accuracy_fake = 0.95;
  EXPECT_EQ(After(Watching(Quick()), 3, signals), Verdict::kDiscriminatorAhead);
  signals.auc = 0.985;
  EXPECT_EQ(After(Watching(Quick()), 50, signals), Verdict::kBalanced);
}

TEST(Verdict, OneBlownUpLossDivergesAtOnce) {
  Script script(Watching(Quick()));
  script.Feed(20, Healthy());
  script.Feed(1, With(0.9, 500, 2.5));
  EXPECT_EQ(script.controller.verdict(), Verdict::kDiverged);
  script.Feed(3, Healthy());
  EXPECT_EQ(script.controller.verdict(), Verdict::kBalanced);
}

TEST(Verdict, ModeCollapseStaysBetweenMeasurementsAndClearsWithDiversity) {
  Signals measured = Healthy();
  measured.diversity_reference = 0.8;
  measured.diversity = 0.1;
  Script script(Watching(Quick()));
  script.Feed(5, WithDiversity(0.5));
  script.Feed(3, measured);
  script.Feed(10, Healthy());
  EXPECT_EQ(script.controller.verdict(), Verdict::kModeCollapse);
  measured.diversity = 0.75;
  script.Feed(20, measured);
  EXPECT_EQ(script.controller.verdict(), Verdict::kBalanced);
}

TEST(Verdict, NonFiniteStepDivergesAtOnceEvenInTheWarmUp) {
  Signals signals = Healthy();
  signals.finite = false;
  Script script(BalanceOptions{});
  script.Feed(1, signals);
  EXPECT_EQ(script.controller.verdict(), Verdict::kDiverged);
  script.Feed(19, Healthy());
  EXPECT_EQ(script.controller.verdict(), Verdict::kDiverged);
  script.Feed(1, Healthy());
  EXPECT_EQ(script.controller.verdict(), Verdict::kBalanced);
}

TEST(Verdict, NaNEntersNoAverage) {
  Script script(Watching(Quick()));
  script.Feed(5, Healthy());
  script.Feed(1, With(std::numeric_limits<double>::quiet_NaN(), 1, 1));
  EXPECT_EQ(script.controller.verdict(), Verdict::kDiverged);
  EXPECT_NEAR(script.controller.averages().auc.mean(), 0.90, 1e-12);
}

TEST(Verdict, LossBlowUpDiverges) {
  Script script(BalanceOptions{});
  script.Feed(300, Healthy());
  script.Feed(60, With(0.9, 40, 90));
  EXPECT_EQ(script.controller.verdict(), Verdict::kDiverged);
}

TEST(Verdict, ADFarAboveWhereItCannotTellHasDiverged) {
  Script script(BalanceOptions{});
  script.Feed(300, Healthy());
  script.Feed(1, With(0.9, 4.5, 2.5));  // 5.2 ranges above the floor, and not ten times the usual
  EXPECT_EQ(script.controller.verdict(), Verdict::kDiverged);
}

TEST(Verdict, ADThatSaysNothingLeavesGAheadThoughItRanksThePictures) {
  BalanceOptions options;
  options.mode = Mode::kWatch;
  Script script(options);
  const Signals says_nothing = With(0.80, 1.385, 0.70);
  const int begin = static_cast<int>(options.warmup_steps);
  script.Feed(begin + static_cast<int>(options.g_raise_steps) - 1, says_nothing);
  EXPECT_EQ(script.controller.verdict(), Verdict::kBalanced) << "every run begins like that";
  script.Feed(1, says_nothing);
  EXPECT_EQ(script.controller.verdict(), Verdict::kGeneratorAhead);
  script.Feed(100, Healthy());
  EXPECT_EQ(script.controller.verdict(), Verdict::kBalanced);
}

TEST(Verdict, OneSpikeOrAHighGeneratorLossIsNoBlowUp) {
  Script script(BalanceOptions{});
  script.Feed(300, Healthy());
  script.Feed(1, With(0.9, 3, 300));
  script.Feed(100, With(0.93, 0.9, 12));
  EXPECT_EQ(script.controller.verdict(), Verdict::kBalanced);
}

}  // namespace
}  // namespace gan::balance
