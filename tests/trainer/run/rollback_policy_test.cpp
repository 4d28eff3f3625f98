// When a run goes back to an older checkpoint, and what a checkpoint must know of that.
#include "trainer/run/rollback_policy.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <vector>

namespace gan::run {
namespace {

using balance::Verdict;

// A controller under the verdict of a mode collapse.
balance::Controller Collapsed() {
  balance::BalanceOptions options;
  options.warmup_steps = 0;
  options.raise_steps = 1;
  options.smoothing_steps = 1;
  balance::Controller controller(options);
  balance::Signals signals;
  signals.diversity_reference = 1;
  for (const double diversity : {1.0, 0.0}) {
    signals.diversity = diversity;
    controller.Observe(1, signals);
  }
  EXPECT_EQ(controller.verdict(), Verdict::kModeCollapse);
  return controller;
}

// The policy of a run that resumes from a checkpoint of this one.
RollbackPolicy Resumed(const RollbackPolicy& whole) {
  nlohmann::json state;
  whole.SaveTo(state);
  RollbackPolicy resumed;
  resumed.Restore(state);
  return resumed;
}

TEST(RollbackPolicy, ACollapseWithoutAWayBackIsStillOneAfterAResume) {
  const balance::Controller controller = Collapsed();
  RollbackPolicy whole;
  EXPECT_NE(whole.Cause(100, controller), "");
  whole.GiveUpFor(100, Verdict::kModeCollapse);
  RollbackPolicy resumed = Resumed(whole);
  for (const std::uint64_t step : {101, 149, 150, 1000}) {
    EXPECT_EQ(whole.Cause(step, controller), "") << step;
    EXPECT_EQ(resumed.Cause(step, controller), "") << step;
  }
  // The end of the collapse ends this, too.
  resumed.Observe(true, false, Verdict::kBalanced);
  EXPECT_NE(resumed.Cause(1000, controller), "");
}

TEST(RollbackPolicy, ASearchWithoutATargetIsRepeatedAtTheSameStepAfterAResume) {
  const balance::Controller controller{balance::BalanceOptions()};
  RollbackPolicy whole;
  for (int i = 0; i < 20; ++i) whole.Observe(false, true, Verdict::kDiverged);
  EXPECT_NE(whole.Cause(100, controller), "");
  whole.GiveUpFor(100, Verdict::kDiverged);
  const RollbackPolicy resumed = Resumed(whole);
  EXPECT_EQ(resumed.Cause(149, controller), "");
  EXPECT_NE(resumed.Cause(150, controller), "");
}

// A run collapses at step 75 and goes back to 10, blows up at 16 and goes back to 10 again, and collapses once more.
TEST(RollbackPolicy, ACheckpointLacksWhatWasChangedAfterEachLaterCollapse) {
  RollbackPolicy policy;
  nlohmann::json old = nlohmann::json::object(), of_10, of_20;
  policy.SaveTo(of_10);
  policy.history().Begin({75, 10, "mode collapse", true});
  EXPECT_EQ(policy.RollbacksBefore(of_10, 10), 0U);
  policy.history().Begin({16, 10, "a loss has blown up", true});
  EXPECT_EQ(policy.history().CollapsesAfter(policy.RollbacksBefore(of_10, 10)), std::vector<std::uint32_t>{0});
  policy.SaveTo(of_20);
  policy.history().Begin({90, 20, "mode collapse", true});
  EXPECT_EQ(policy.history().CollapsesAfter(policy.RollbacksBefore(of_20, 20)), std::vector<std::uint32_t>{1});
  EXPECT_EQ(policy.history().CollapsesAfter(policy.RollbacksBefore(of_10, 10)), (std::vector<std::uint32_t>{0, 1}));
  // The steps of the rollbacks say the same about a checkpoint that does not contain their number.
  EXPECT_EQ(policy.RollbacksBefore(old, 10), 0U);
  EXPECT_EQ(policy.RollbacksBefore(old, 20), 2U);
  EXPECT_EQ(policy.RollbacksBefore(old, 30), 3U);
  // A checkpoint from before the user removed the file of the history.
  RollbackPolicy forgetful;
  EXPECT_EQ(forgetful.RollbacksBefore(of_20, 20), 0U);
}

}  // namespace
}  // namespace gan::run
