#include "trainer/run/step_numbers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <set>
#include <sstream>

#include "monitoring/metric_table.h"
#include "storage/files.h"
#include "trainer/run/recorder.h"

namespace gan::run {

namespace {

using ::testing::HasSubstr;

// The line of docs/monitoring.md for a number: | `key` | unit | meaning | `metric{label}` |
std::string DocumentedRow(const StepNumber& number) {
  std::ostringstream row;
  std::string meaning(number.meaning);
  for (std::size_t at = 0; (at = meaning.find('|', at)) != std::string::npos; at += 2) meaning.insert(at, "\\");
  row << "| `" << number.name << "` | " << number.unit << (number.unit.empty() ? "" : " ") << "| " << meaning << " | ";
  if (number.metric) {
    const monitoring::MetricRow& metric = monitoring::Row(*number.metric);
    row << '`' << metric.name;
    if (!number.label.empty()) row << '{' << metric.label << "=\"" << number.label << "\"}";
    row << "` ";
  }
  row << '|';
  return row.str();
}

TEST(StepNumbers, EveryPublishedOneIsInTheDocuments) {
  const std::string docs = storage::ReadFile(std::string(EQUIPOISE_SOURCE_DIR) + "/docs/monitoring.md");
  for (const StepNumber& number : StepNumbers()) {
    if (number.name.empty()) continue;
    EXPECT_THAT(docs, HasSubstr(DocumentedRow(number)));
  }
}

TEST(StepNumbers, EachHasANameOfItsOwnAndAValue) {
  std::set<std::string_view> names;
  for (const StepNumber& number : StepNumbers()) {
    EXPECT_TRUE(number.name.empty() || names.insert(number.name).second) << number.name;
    EXPECT_TRUE(number.member == nullptr || number.of_rank != nullptr) << number.name;
    EXPECT_FALSE(number.name.empty() && number.member == nullptr) << number.meaning << ": neither published nor kept";
    EXPECT_TRUE(number.of_rank != nullptr || number.of_record != nullptr) << number.name;
  }
  EXPECT_GT(names.size(), 20U);
}

TEST(StepNumbers, WhatIsAbsentOrNotFiniteIsNullInStats) {
  StepRecord record;
  record.seen.loss_g = std::numeric_limits<double>::infinity();
  record.seen.diversity = -1;
  const nlohmann::json line = ToJson(record);
  EXPECT_TRUE(line.at("loss_g").is_null());
  EXPECT_TRUE(line.at("diversity").is_null());
  EXPECT_TRUE(line.at("grad_norm_d").is_null());
  EXPECT_EQ(line.at("loss_d"), 0.0);
}

// docs/interfaces promise these names to users.
TEST(StepNumbers, StatsHasEveryPromisedKey) {
  const nlohmann::json line = ToJson(StepRecord());
  for (const char* key : {"step",
                          "images",
                          "epoch",
                          "loss_d",
                          "loss_d_real",
                          "loss_d_fake",
                          "loss_g",
                          "d_real_mean",
                          "d_fake_mean",
                          "d_accuracy_real",
                          "d_accuracy_fake",
                          "d_auc",
                          "grad_norm_g",
                          "grad_norm_d",
                          "lr_g",
                          "lr_d",
                          "imbalance",
                          "verdict",
                          "actions",
                          "step_seconds",
                          "images_per_second",
                          "diversity",
                          "diversity_reference",
                          "penalty_d",
                          "matching_g",
                          "augment_probability"}) {
    EXPECT_TRUE(line.contains(key)) << key;
  }
}

}  // namespace

}  // namespace gan::run
