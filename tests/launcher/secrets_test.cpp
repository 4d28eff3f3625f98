#include "launcher/secrets.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "monitoring/push/alerts.h"

namespace gan::launch {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;

TEST(Secrets, FlagsMoveFromTheCommandLineToTheEnvironment) {
  LaunchOptions options;
  options.alert_webhook = "https://launcher/1";
  options.program = {"gan-train",       "--alert-webhook", "https://run/2", "--run", "r", "--otlp-endpoint=https://o/3",
                     "--alert-command", "curl x"};
  MoveSecretsToEnvironment(options);
  EXPECT_THAT(options.program, ElementsAre("gan-train", "--run", "r"));
  EXPECT_STREQ(std::getenv(monitoring::kWebhookVariable), "https://run/2");
  EXPECT_STREQ(std::getenv(monitoring::kCommandVariable), "curl x");
  EXPECT_STREQ(std::getenv("OTEL_EXPORTER_OTLP_ENDPOINT"), "https://o/3");
  EXPECT_THAT(PassedVariables(), Contains(monitoring::kWebhookVariable));
  EXPECT_THAT(PassedVariables(), Contains("OTEL_EXPORTER_OTLP_ENDPOINT"));
  for (const char* name : {monitoring::kWebhookVariable, monitoring::kCommandVariable, "OTEL_EXPORTER_OTLP_ENDPOINT"})
    ::unsetenv(name);
}

TEST(Secrets, AFlagWithoutValueStaysForTheProgramToRefuse) {
  LaunchOptions options;
  options.program = {"gan-train", "--alert-webhook"};
  MoveSecretsToEnvironment(options);
  EXPECT_THAT(options.program, ElementsAre("gan-train", "--alert-webhook"));
}

}  // namespace
}  // namespace gan::launch
