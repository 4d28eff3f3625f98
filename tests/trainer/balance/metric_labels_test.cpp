#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "monitoring/metric_table.h"
#include "storage/files.h"
#include "trainer/balance/balance.h"

namespace gan::balance {
namespace {

TEST(MetricLabels, EveryInterventionIsInTheDocuments) {
  const std::string docs = storage::ReadFile(std::string(EQUIPOISE_SOURCE_DIR) + "/docs/balance.md");
  for (std::string_view action : kActions) EXPECT_THAT(docs, testing::HasSubstr("`" + std::string(action) + "`"));
}

// A label value that the table does not know ends the program: the two lists must agree.
TEST(MetricLabels, EveryVerdictHasItsState) {
  const auto known = monitoring::Row(monitoring::Metric::kBalanceState).label_values;
  EXPECT_EQ(known.size(), std::size(kVerdicts));
  for (Verdict verdict : kVerdicts) EXPECT_THAT(known, testing::Contains(Name(verdict)));
}

}  // namespace
}  // namespace gan::balance
