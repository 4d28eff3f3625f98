#include "monitoring/page/series.h"

#include <gmock/gmock.h>

#include <limits>
#include <nlohmann/json.hpp>

namespace gan::monitoring {
namespace {

using Json = nlohmann::json;

Json Of(const SeriesTable& table) { return Json::parse(table.JsonText()); }

TEST(SeriesTable, FewRowsStayExact) {
  SeriesTable table;
  for (std::uint64_t step = 1; step <= 3; ++step) table.Add(step, {{"loss", static_cast<double>(step) / 4}});
  EXPECT_EQ(Of(table), Json::parse(R"({"width":1,"x":[1,2,3],"series":{"loss":{"mean":[0.25,0.5,0.75]}}})"));
}

TEST(SeriesTable, ALongRunIsGatheredIntoBuckets) {
  SeriesTable table;
  const std::uint64_t rows = 4 * SeriesTable::kMostBuckets;
  for (std::uint64_t step = 1; step <= rows; ++step) table.Add(step, {{"loss", static_cast<double>(step % 4)}});
  const Json json = Of(table);
  EXPECT_EQ(json["width"], 4);
  EXPECT_LE(json["x"].size(), SeriesTable::kMostBuckets);
  EXPECT_EQ(json["x"].front(), 4);
  EXPECT_EQ(json["x"].back(), rows);
  for (const Json& mean : json["series"]["loss"]["mean"]) EXPECT_EQ(mean, 1.5);
  for (const Json& least : json["series"]["loss"]["min"]) EXPECT_EQ(least, 0);
  for (const Json& greatest : json["series"]["loss"]["max"]) EXPECT_EQ(greatest, 3);
}

TEST(SeriesTable, ASpikeOfOneStepIsNeverLost) {
  SeriesTable table;
  for (std::uint64_t step = 1; step <= 50'000; ++step) table.Add(step, {{"loss", step == 20'001 ? 99.0 : 1.0}});
  double greatest = 0;
  const Json json = Of(table);
  for (const Json& value : json["series"]["loss"]["max"]) greatest = std::max(greatest, value.get<double>());
  EXPECT_EQ(greatest, 99);
}

TEST(SeriesTable, WhatIsNotFiniteHasNoValue) {
  SeriesTable table;
  table.Add(1, {{"loss", std::numeric_limits<double>::quiet_NaN()}});
  table.Add(2, {{"loss", 1}});
  table.Add(3, {{"loss", std::numeric_limits<double>::infinity()}});
  EXPECT_EQ(Of(table)["series"]["loss"]["mean"], Json::parse("[null,1,null]"));
}

TEST(SeriesTable, WhatIsBeyondFloatHasNoValue) {
  SeriesTable table;
  for (std::uint64_t step = 1; step <= 2 * SeriesTable::kMostBuckets; ++step) {
    table.Add(step, {{"loss", 1e308}, {"other", 3e38}});  // two of the second in each bucket
  }
  const Json series = Of(table)["series"];
  EXPECT_FALSE(series.contains("loss"));
  EXPECT_EQ(series["other"]["mean"][0], nullptr);
  EXPECT_EQ(series["other"]["max"][0], 3e38);
}

TEST(SeriesTable, AColumnThatComesLateIsEmptyBefore) {
  SeriesTable table;
  table.Add(1, {{"loss", 1}});
  table.Add(2, {{"loss", 1}, {"diversity", 0.5}});
  EXPECT_EQ(Of(table)["series"]["diversity"]["mean"], Json::parse("[null,0.5]"));
}

TEST(SeriesTable, ManyColumnsAreCut) {
  SeriesTable table;
  for (int i = 0; i < 1000; ++i) {
    const std::string name = "column" + std::to_string(i);
    table.Add(static_cast<std::uint64_t>(i), {{name, 1}});
  }
  EXPECT_EQ(Of(table)["series"].size(), SeriesTable::kMostColumns);
}

}  // namespace
}  // namespace gan::monitoring
