// The best measurement of a run, and for how long a run waits for a better one.
#include "trainer/run/best_of_run.h"

#include <gtest/gtest.h>

#include <limits>

namespace gan::run {
namespace {

using Values = std::vector<std::pair<std::string, double>>;

TEST(BestOfRun, TheBestIsTheSmallestDistanceOrTheLargestCoverage) {
  BestOfRun swd("swd", 10), coverage("coverage", 10);
  for (const auto& [step, value] : {std::pair(1, 0.5), std::pair(2, 0.25), std::pair(3, 0.75)}) {
    const Values values = {{"swd", value}, {"coverage", value}};
    swd.Take(values, step, 10 * step);
    coverage.Take(values, step, 10 * step);
  }
  EXPECT_EQ(swd.best()->step, 2U);
  EXPECT_EQ(coverage.best()->step, 3U);
}

TEST(BestOfRun, AnEqualValueOrOneThatIsNotFiniteIsNoImprovement) {
  BestOfRun best("swd", 10);
  EXPECT_FALSE(best.Take({{"swd", std::numeric_limits<double>::quiet_NaN()}}, 1, 10));
  EXPECT_TRUE(best.Take({{"swd", 0.5}}, 2, 20));
  EXPECT_FALSE(best.Take({{"swd", 0.5}}, 3, 30));
  EXPECT_FALSE(best.Take({{"swd", -std::numeric_limits<double>::infinity()}}, 4, 40));
  EXPECT_EQ(best.best()->step, 2U);
}

TEST(BestOfRun, WaitsForThePatienceAndNotForOneImageLess) {
  BestOfRun best("swd", 100);
  best.Take({{"swd", 0.5}}, 1, 50);
  best.Take({{"swd", 0.6}}, 2, 149);
  EXPECT_FALSE(best.HasWaitedEnough());
  best.Take({{"swd", 0.6}}, 3, 150);
  EXPECT_TRUE(best.HasWaitedEnough());
  EXPECT_EQ(best.Describe(), "swd has not improved on 0.5 of step 1 for 100 images");
}

TEST(BestOfRun, AutomaticPatienceIsAsLongAsTheWayToTheBestButNotShort) {
  BestOfRun early("swd", 0), late("swd", 0);
  early.Take({{"swd", 0.5}}, 1, 10);
  EXPECT_EQ(early.Patience(), BestOfRun::kLeastPatience);
  late.Take({{"swd", 0.5}}, 1, 300'000);
  late.Take({{"swd", 0.6}}, 2, 599'999);
  EXPECT_FALSE(late.HasWaitedEnough());
  late.Take({{"swd", 0.6}}, 3, 600'000);
  EXPECT_TRUE(late.HasWaitedEnough());
}

TEST(BestOfRun, WithoutAMeasurementNothingEnds) {
  BestOfRun none("none", 1), nan("swd", 1);
  none.Take({{"swd", 0.5}}, 1, 1000);
  nan.Take({{"swd", std::numeric_limits<double>::quiet_NaN()}}, 1, 1000);
  EXPECT_FALSE(none.HasWaitedEnough());
  EXPECT_FALSE(nan.HasWaitedEnough());
}

TEST(BestOfRun, GoesOnWhereItWasSaved) {
  BestOfRun before("swd", 100);
  before.Take({{"swd", 0.1 + 0.2}}, 1, 50);
  before.Take({{"swd", 0.6}}, 2, 150);
  const nlohmann::json saved = nlohmann::json::parse(before.Save().dump());
  BestOfRun after("swd", 100), more_patient("swd", 101), other("frechet", 100);
  after.Restore(saved, 170);
  EXPECT_TRUE(after.HasWaitedEnough());
  EXPECT_FALSE(after.Take({{"swd", 0.1 + 0.2}}, 3, 180));  // bit for bit
  more_patient.Restore(saved, 170);
  EXPECT_FALSE(more_patient.HasWaitedEnough());
  other.Restore(saved, 170);
  EXPECT_FALSE(other.best());
}

TEST(BestOfRun, AStateWithoutImagesWaitsFromTheResumedStepOn) {
  BestOfRun best("swd", 100);
  best.Restore({{"best_step", 7}, {"best_value", 0.5}, {"measure", "swd"}}, 1000);
  EXPECT_EQ(best.best()->step, 7U);
  EXPECT_FALSE(best.HasWaitedEnough());
  best.Take({{"swd", 0.6}}, 9, 1100);
  EXPECT_TRUE(best.HasWaitedEnough());
}

}  // namespace
}  // namespace gan::run
