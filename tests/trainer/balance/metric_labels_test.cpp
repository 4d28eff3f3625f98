#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string_view>

#include "monitoring/metric_table.h"
#include "trainer/balance/balance.h"

namespace gan::balance {
namespace {

// A label value that the table does not know ends the program: the two lists must go together.
TEST(MetricLabels, EveryActionIsCounted) {
  const auto known = monitoring::Row(monitoring::Metric::kInterventions).label_values;
  for (std::string_view action : kActions) EXPECT_THAT(known, testing::Contains(action));
}

TEST(MetricLabels, EveryVerdictHasItsState) {
  const auto known = monitoring::Row(monitoring::Metric::kBalanceState).label_values;
  EXPECT_EQ(known.size(), std::size(kVerdicts));
  for (Verdict verdict : kVerdicts) EXPECT_THAT(known, testing::Contains(Name(verdict)));
}

}  // namespace
}  // namespace gan::balance
