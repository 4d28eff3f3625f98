#include <gmock/gmock.h>
#include <gtest/gtest.h>

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

}  // namespace
}  // namespace gan::balance
