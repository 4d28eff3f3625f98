#include "trainer/run/settle.h"

#include <gtest/gtest.h>

namespace gan::run {
namespace {

TEST(StepsIn, ATimeHoldsWholeStepsAndAtLeastOne) {
  EXPECT_EQ(StepsIn("20s", 0.5), 40U);
  EXPECT_EQ(StepsIn("1h", 0.7), 5142U);
  EXPECT_EQ(StepsIn("1s", 60), 1U);
  EXPECT_EQ(StepsIn("10000d", 1e-3), 864000000000U);
}

// 1,000 training images, 32 per step.
constexpr StepTime kMeasured = {.seconds = 0.1, .steps = 30, .images = 32, .training_images = 1000};

TEST(TotalSteps, EveryKindOfLengthBecomesSteps) {
  TrainOptions options;
  EXPECT_EQ(TotalSteps(options, kMeasured), 3125U);  // the default of 100 epochs
  options.epochs = 3;
  EXPECT_EQ(TotalSteps(options, kMeasured), 94U);
  options.images = 33;
  EXPECT_EQ(TotalSteps(options, kMeasured), 2U);
  options.steps = 7;
  EXPECT_EQ(TotalSteps(options, kMeasured), 7U);
}

TEST(TotalSteps, ARunThatResumesCountsTheStepsItHas) {
  TrainOptions options;
  options.images = 3200;
  options.before = RunBefore{.step = 200, .images = 1600, .global_batch = 8};  // its steps were smaller
  EXPECT_EQ(TotalSteps(options, kMeasured), 250U);
  options.before->images = 3300;
  EXPECT_EQ(TotalSteps(options, kMeasured), 200U);
}

}  // namespace
}  // namespace gan::run
