#include "trainer/run/alert_rules.h"

#include <gmock/gmock.h>

namespace gan::run {
namespace {

using balance::Verdict;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class AlertRulesTest : public ::testing::Test {
 protected:
  // The events of the steps from `first` on, all with one verdict.
  std::vector<std::string> Steps(std::uint64_t first, std::uint64_t count, Verdict verdict) {
    std::vector<std::string> events;
    for (std::uint64_t step = first; step < first + count; ++step) {
      for (const auto& alert : rules_.Observe(step, 32 * step, verdict, {})) events.push_back(alert.event);
    }
    return events;
  }
  AlertRules rules_;
};

TEST_F(AlertRulesTest, AVerdictThatLastsIsToldOnceAndItsEndToo) {
  EXPECT_THAT(Steps(1, 500, Verdict::kBalanced), IsEmpty());
  EXPECT_THAT(Steps(501, AlertRules::kLastingSteps, Verdict::kDiscriminatorAhead), IsEmpty());
  EXPECT_THAT(Steps(501 + AlertRules::kLastingSteps, 1000, Verdict::kDiscriminatorAhead), ElementsAre("verdict"));
  EXPECT_THAT(Steps(2000, 10, Verdict::kBalanced), ElementsAre("verdict_over"));
}

TEST_F(AlertRulesTest, AVerdictThatComesAndGoesIsNotTold) {
  for (std::uint64_t step = 1; step < 1000; step += 60) {
    EXPECT_THAT(Steps(step, 30, Verdict::kGeneratorAhead), IsEmpty());
    EXPECT_THAT(Steps(step + 30, 30, Verdict::kBalanced), IsEmpty());
  }
}

TEST_F(AlertRulesTest, AModeCollapseIsCriticalAndNamesWhenItBegan) {
  Steps(1, 10, Verdict::kBalanced);
  Steps(11, AlertRules::kLastingSteps, Verdict::kModeCollapse);
  const auto alerts = rules_.Observe(11 + AlertRules::kLastingSteps, 7, Verdict::kModeCollapse, {});
  ASSERT_THAT(alerts, SizeIs(1));
  EXPECT_EQ(alerts[0].severity, monitoring::Severity::kCritical);
  EXPECT_EQ(alerts[0].details.at("since_step"), 11);
  EXPECT_EQ(alerts[0].details.at("images"), 7);
}

TEST_F(AlertRulesTest, ARollbackBeginsTheVerdictAnew) {
  Steps(1000, 90, Verdict::kModeCollapse);
  EXPECT_THAT(Steps(500, 90, Verdict::kModeCollapse), IsEmpty());
}

TEST_F(AlertRulesTest, OnlyHeavyInterventionsAreTold) {
  const auto alerts =
      rules_.Observe(5, 160, Verdict::kBalanced,
                     {{5, "lower_d_rate", "small"}, {5, "rollback", "back to step 1"}, {5, "restart_d", "new"}});
  ASSERT_THAT(alerts, SizeIs(2));
  EXPECT_EQ(alerts[0].details.at("action"), "rollback");
  EXPECT_EQ(alerts[0].text, "step 5: back to step 1");
  EXPECT_EQ(alerts[1].details.at("action"), "restart_d");
}

}  // namespace
}  // namespace gan::run
