#include "trainer/step/learning_rate.h"

#include <gtest/gtest.h>

namespace gan::step {
namespace {

TEST(LearningRate, RisesInAStraightLine) {
  const LearningRateSchedule schedule{.warmup_steps = 4};
  EXPECT_DOUBLE_EQ(LearningRateScale(schedule, 1, 0), 0.25);
  EXPECT_DOUBLE_EQ(LearningRateScale(schedule, 4, 0.1), 1);
  EXPECT_DOUBLE_EQ(LearningRateScale(schedule, 400, 0.9), 1);
}

TEST(LearningRate, FallsToZeroAtTheEnd) {
  for (const Decay decay : {Decay::kLinear, Decay::kCosine}) {
    EXPECT_DOUBLE_EQ(LearningRateScale({.decay = decay}, 1, 0), 1);
    EXPECT_NEAR(LearningRateScale({.decay = decay}, 1, 0.5), 0.5, 1e-12);
    EXPECT_NEAR(LearningRateScale({.decay = decay}, 1, 1), 0, 1e-12);
  }
}

TEST(LearningRate, NeverTurnsNegativeWhenARunIsContinuedBeyondItsEnd) {
  EXPECT_DOUBLE_EQ(LearningRateScale({.decay = Decay::kLinear}, 1, 1.5), 0);
}

TEST(LearningRate, StaysWithoutASchedule) { EXPECT_DOUBLE_EQ(LearningRateScale({}, 1, 0.7), 1); }

}  // namespace
}  // namespace gan::step
