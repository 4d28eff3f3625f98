#include "launcher/restart_policy.h"

#include <gtest/gtest.h>

namespace gan::launch {
namespace {

constexpr Ending kKilled{137, true};

TEST(RestartPolicy, StopsAfterThreeRestartsWithoutProgress) {
  RestartPolicy policy({.ranks = 2}, 10);
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(policy.After(kKilled, 10).restart) << i;
  const Decision last = policy.After(kKilled, 10);
  EXPECT_FALSE(last.restart);
  EXPECT_NE(last.why.find("3 restarts in a row"), std::string::npos) << last.why;
}

TEST(RestartPolicy, ProgressBeginsTheCountAnew) {
  RestartPolicy policy({.ranks = 2, .max_restarts = 1000}, std::nullopt);
  for (std::uint64_t step = 1; step < 50; ++step) {
    for (int i = 0; i < 3; ++i) EXPECT_TRUE(policy.After(kKilled, step).restart) << step;
  }
}

TEST(RestartPolicy, OlderCheckpointThanTheBestIsNoProgress) {
  RestartPolicy policy({.ranks = 2}, 10);
  for (const std::uint64_t step : {9, 8, 9}) EXPECT_TRUE(policy.After(kKilled, step).restart);
  EXPECT_FALSE(policy.After(kKilled, 10).restart);
}

TEST(RestartPolicy, WaitDoublesUpToAMinuteAndFallsBackWithProgress) {
  RestartPolicy policy({.ranks = 2, .backoff_seconds = 20}, 0);
  EXPECT_DOUBLE_EQ(policy.After(kKilled, 0).wait_seconds, 20);
  EXPECT_DOUBLE_EQ(policy.After(kKilled, 0).wait_seconds, 40);
  EXPECT_DOUBLE_EQ(policy.After(kKilled, 0).wait_seconds, 60);
  EXPECT_DOUBLE_EQ(policy.After(kKilled, 5).wait_seconds, 20);
}

TEST(RestartPolicy, MaxRestartsIsALimitEvenWithProgress) {
  RestartPolicy policy({.ranks = 2, .max_restarts = 2}, 0);
  EXPECT_TRUE(policy.After(kKilled, 1).restart);
  EXPECT_TRUE(policy.After(kKilled, 2).restart);
  EXPECT_FALSE(policy.After(kKilled, 3).restart);
}

TEST(RestartPolicy, FewerRanksAreDivisorsAndOnlyAfterARestartFailed) {
  RestartPolicy policy({.ranks = 8, .fewest_ranks = 3}, 0);
  EXPECT_EQ(policy.After(kKilled, 0).ranks, 8U);
  EXPECT_EQ(policy.After(kKilled, 0).ranks, 4U);
  EXPECT_EQ(policy.After(kKilled, 0).ranks, 4U);
}

TEST(RestartPolicy, RanksStayWhenFewerAreNotAllowed) {
  RestartPolicy policy({.ranks = 8}, 0);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(policy.After(kKilled, 0).ranks, 8U);
}

TEST(RestartPolicy, ContractCodesAreFinalAndCrashesAreNot) {
  for (const int code : {0, 2, 3, 4, 75}) EXPECT_TRUE(IsFinal({code, false}, true)) << code;
  for (const int code : {1, 9, 134, 137, 139}) EXPECT_FALSE(IsFinal({code, false}, true)) << code;
  EXPECT_FALSE(IsFinal({2, false}, false)) << "the same command was accepted before";
}

}  // namespace
}  // namespace gan::launch
