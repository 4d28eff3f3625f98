#include "trainer/balance/signals.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "tests/trainer/balance/scripted_signals.h"

namespace gan::balance {
namespace {

TEST(Imbalance, LevelLossesGiveZero) { EXPECT_DOUBLE_EQ(Imbalance(1.386, 0.693), 0); }

TEST(Imbalance, FollowsTheFormula) {
  EXPECT_DOUBLE_EQ(Imbalance(1.0, 1.5), 0.5);  // |0.5 - 1.5| / 2
  EXPECT_DOUBLE_EQ(Imbalance(3.0, 0.5), 0.5);
  EXPECT_DOUBLE_EQ(Imbalance(0.0, 7.0), 1.0);
}

TEST(Imbalance, TwoZeroLossesAreLevelNotNaN) { EXPECT_EQ(Imbalance(0, 0), 0); }

TEST(NormalisedLoss, RunsFromFloorToCeiling) {
  EXPECT_DOUBLE_EQ(*NormalisedLoss(With(1, 0.650, 1)), 0);
  EXPECT_DOUBLE_EQ(*NormalisedLoss(With(0.5, 1.386, 1)), 1);
}

TEST(NormalisedLoss, UnknownBoundsGiveNothing) {
  Signals signals = Healthy();
  signals.loss_d_floor = signals.loss_d_ceiling = 0;
  EXPECT_FALSE(NormalisedLoss(signals).has_value());
}

TEST(IsFinite, EveryDecidingNumberCounts) {
  EXPECT_TRUE(IsFinite(Healthy()));
  for (double Signals::*field : {&Signals::loss_d, &Signals::loss_g, &Signals::auc, &Signals::accuracy_real,
                                 &Signals::accuracy_fake, &Signals::grad_norm_g, &Signals::grad_norm_d}) {
    Signals signals = Healthy();
    signals.*field = std::numeric_limits<double>::quiet_NaN();
    EXPECT_FALSE(IsFinite(signals));
    signals.*field = std::numeric_limits<double>::infinity();
    EXPECT_FALSE(IsFinite(signals));
  }
}

TEST(Signals, ComeBackFromACheckpointBitForBit) {
  Signals signals = With(0.1 + 0.2, 1.0 / 3, 2.5);
  signals.diversity = 0.1;
  signals.diversity_reference = std::numeric_limits<double>::quiet_NaN();
  const auto restored = nlohmann::json::parse(nlohmann::json(signals).dump()).get<Signals>();
  EXPECT_EQ(restored.auc, signals.auc);
  EXPECT_EQ(restored.loss_d, signals.loss_d);
  EXPECT_EQ(restored.diversity, signals.diversity);
  EXPECT_EQ(restored.diversity_reference, -1) << "what is no number was not measured";
  EXPECT_TRUE(restored.finite);
}

TEST(Signals, AStepThatIsNotFiniteComesBackAsOne) {
  Signals signals = Healthy();
  signals.loss_g = std::numeric_limits<double>::infinity();
  EXPECT_FALSE(IsFinite(nlohmann::json::parse(nlohmann::json(signals).dump()).get<Signals>()));
}

TEST(Average, HasNoBiasTowardsZero) {
  Average average;
  average.Add(4, 20);
  EXPECT_DOUBLE_EQ(average.mean(), 4);
  for (int i = 0; i < 7; ++i) average.Add(4, 20);
  EXPECT_NEAR(average.mean(), 4, 1e-12);
}

TEST(Average, ForgetsOverItsTimeConstant) {
  Average average;
  for (int i = 0; i < 1000; ++i) average.Add(1, 20);
  for (int i = 0; i < 20; ++i) average.Add(0, 20);
  EXPECT_NEAR(average.mean(), std::exp(-1.0), 0.02);
}

}  // namespace
}  // namespace gan::balance
