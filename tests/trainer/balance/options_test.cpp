#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <regex>
#include <string>

#include "storage/errors.h"
#include "trainer/balance/balance.h"

namespace gan::balance {
namespace {

TEST(Options, OutOfRangeIsRefusedByName) {
  BalanceOptions options;
  options.d_ahead_clear_auc = 0.99;
  EXPECT_THROW(
      {
        try {
          Controller controller(options);
        } catch (const UsageError& error) {
          EXPECT_THAT(error.what(), testing::HasSubstr("d_ahead_clear_auc"));
          throw;
        }
      },
      UsageError);
  options = {};
  options.lr_factor = 1;
  EXPECT_THROW(Controller{options}, UsageError);
  options = {};
  options.smoothing_steps = 0;
  EXPECT_THROW(Controller{options}, UsageError);
}

TEST(Options, JsonGoesThereAndBack) {
  BalanceOptions options = Quick();
  options.mode = Mode::kWatch;
  options.d_ahead_auc = 0.1 + 0.88;
  const nlohmann::json json = options;
  const auto back = nlohmann::json::parse(json.dump()).get<BalanceOptions>();
  EXPECT_EQ(nlohmann::json(back), json);
  EXPECT_EQ(back.mode, Mode::kWatch);
  EXPECT_EQ(back.undo_steps, 10U);
}

TEST(Options, AbsentFieldsKeepTheirDefaults) {
  const auto options = nlohmann::json::parse(R"({"raise_steps": 7})").get<BalanceOptions>();
  EXPECT_EQ(options.raise_steps, 7U);
  EXPECT_EQ(options.clear_steps, BalanceOptions{}.clear_steps);
  EXPECT_EQ(options.mode, Mode::kAct);
}

TEST(Options, ModesAreParsedByName) {
  for (Mode mode : {Mode::kOff, Mode::kWatch, Mode::kAct}) EXPECT_EQ(ParseMode(Name(mode)), mode);
  EXPECT_THROW(ParseMode("on"), UsageError);
}

TEST(Options, AllAndNoneAreLists) {
  EXPECT_EQ(ParseActionGroups("all").size(), std::size(kActionGroups));
  EXPECT_TRUE(ParseActionGroups("none").empty());
  EXPECT_THROW(ParseActionGroups("none,augment"), UsageError);
}

// {name: default} of the rows "| `name` | 0.5 | meaning |".
std::map<std::string, double> DocumentedThresholds(const std::string& page) {
  std::ifstream file(std::string(EQUIPOISE_SOURCE_DIR) + "/docs/" + page);
  const std::regex row("^\\| `(\\w+)` \\| ([-0-9.]+) \\|.*");
  std::map<std::string, double> thresholds;
  std::smatch match;
  for (std::string line; std::getline(file, line);) {
    if (std::regex_match(line, match, row)) thresholds[match[1]] = std::stod(match[2]);
  }
  return thresholds;
}

TEST(Options, TheDocumentsNameEveryThresholdOnceWithItsDefault) {
  const auto users = DocumentedThresholds("balance.md"), studies = DocumentedThresholds("balance-study.md");
  std::map<std::string, double> documented = users;
  documented.insert(studies.begin(), studies.end());
  EXPECT_EQ(documented.size(), users.size() + studies.size());
  std::map<std::string, double> ours;
  const nlohmann::json defaults = BalanceOptions();
  for (const auto& [name, value] : defaults.items()) {
    if (value.is_number()) ours[name] = value;
  }
  EXPECT_EQ(documented, ours);
  std::map<std::string, double> shown;
  for (const PublicThreshold& threshold : kPublicThresholds) {
    shown[std::string(threshold.name)] = ours.at(std::string(threshold.name));
  }
  EXPECT_EQ(users, shown);
  EXPECT_LE(shown.size(), 12U);
}

}  // namespace
}  // namespace gan::balance
