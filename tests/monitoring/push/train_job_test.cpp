#include "monitoring/push/train_job.h"

#include <gmock/gmock.h>

#include <cmath>
#include <cstdlib>

#include "storage/errors.h"

namespace gan::monitoring {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;

void SetVariables(const char* url, const char* certificate, const char* token) {
  const std::pair<const char*, const char*> variables[] = {
      {kTrainJobUrlVariable, url}, {kTrainJobCertificateVariable, certificate}, {kTrainJobTokenVariable, token}};
  for (const auto& [name, value] : variables) {
    if (value == nullptr) {
      ::unsetenv(name);
    } else {
      ::setenv(name, value, 1);
    }
  }
}

TEST(TrainJobTest, OutsideOfATrainJobThereIsNoServer) {
  SetVariables(nullptr, nullptr, nullptr);
  EXPECT_FALSE(ReadTrainJobServer());
}

TEST(TrainJobTest, TheEnvironmentNamesTheServer) {
  SetVariables("https://trainer.svc/status", "/etc/ca.crt", "/etc/token");
  const auto server = ReadTrainJobServer();
  SetVariables(nullptr, nullptr, nullptr);
  ASSERT_TRUE(server);
  EXPECT_EQ(server->url, "https://trainer.svc/status");
  EXPECT_EQ(server->certificate, "/etc/ca.crt");
  EXPECT_EQ(server->token, "/etc/token");
}

TEST(TrainJobTest, HalfAnEnvironmentIsAnErrorThatNamesTheVariables) {
  SetVariables("https://trainer.svc/status", nullptr, "/etc/token");
  try {
    ReadTrainJobServer();
    FAIL();
  } catch (const UsageError& error) {
    EXPECT_THAT(error.what(), HasSubstr(kTrainJobCertificateVariable));
  }
  SetVariables("ftp://trainer.svc", "/etc/ca.crt", "/etc/token");
  EXPECT_THROW(ReadTrainJobServer(), UsageError);
  SetVariables(nullptr, nullptr, nullptr);
}

TEST(TrainJobTest, AMessageHoldsProgressTimeLeftAndNumbersAsText) {
  const json status = {{"fraction_done", 0.459}, {"seconds_left", 12.2}, {"unix_seconds", 1'764'409'506.7}};
  const json newest = {{"step", 7}, {"loss_d", 0.5}, {"loss_g", nullptr}, {"verdict", "balanced"}, {"unknown", 1}};
  const json inner = TrainJobMessage(status, newest).at("trainerStatus");
  EXPECT_EQ(inner.at("progressPercentage"), 45);
  EXPECT_EQ(inner.at("estimatedRemainingSeconds"), 13);
  EXPECT_EQ(inner.at("lastUpdatedTime"), "2025-11-29T09:45:06Z");
  const json expected = json::array({{{"name", "step"}, {"value", "7"}},
                                     {{"name", "loss_d"}, {"value", "0.5"}},
                                     {{"name", "verdict"}, {"value", "balanced"}}});
  EXPECT_EQ(inner.at("metrics"), expected);
}

TEST(TrainJobTest, SenselessValuesAreLeftOutOrLimited) {
  const json inner =
      TrainJobMessage({{"fraction_done", 17.0}, {"seconds_left", "soon"}}, json::array()).at("trainerStatus");
  EXPECT_EQ(inner.at("progressPercentage"), 100);
  EXPECT_FALSE(inner.contains("estimatedRemainingSeconds"));
  EXPECT_EQ(inner.at("metrics"), json::array());
  const json nan =
      TrainJobMessage({{"fraction_done", std::nan("")}, {"seconds_left", 1e300}}, nullptr).at("trainerStatus");
  EXPECT_FALSE(nan.contains("progressPercentage"));
  EXPECT_EQ(nan.at("estimatedRemainingSeconds"), 1'000'000'000);
}

}  // namespace
}  // namespace gan::monitoring
