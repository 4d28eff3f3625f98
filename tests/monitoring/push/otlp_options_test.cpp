#include "monitoring/push/otlp_options.h"

#include <gmock/gmock.h>

#include <cstdlib>

#include "monitoring/push/otlp_json.h"
#include "storage/errors.h"

namespace gan::monitoring {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::Pair;

class OtlpOptionsTest : public ::testing::Test {
 protected:
  void Set(const std::string& name, const std::string& value) {
    ::setenv(name.c_str(), value.c_str(), 1);
    set_.push_back(name);
  }
  void TearDown() override {
    for (const std::string& name : set_) ::unsetenv(name.c_str());
  }
  std::vector<std::string> set_;
};

TEST_F(OtlpOptionsTest, NothingIsSentUnlessAnEndpointIsNamed) { EXPECT_FALSE(ReadOtlpOptions("", "gan-train").any()); }

TEST_F(OtlpOptionsTest, TheGeneralEndpointGetsThePathsOfTheSignals) {
  const OtlpOptions options = ReadOtlpOptions("http://collector:4318/", "gan-train");
  EXPECT_EQ(options.metrics.url, "http://collector:4318/v1/metrics");
  EXPECT_EQ(options.logs.url, "http://collector:4318/v1/logs");
  EXPECT_THAT(options.resource, ElementsAre(Pair("service.name", "gan-train")));
  EXPECT_EQ(options.interval, 60s);
}

TEST_F(OtlpOptionsTest, VariablesOfTheSpecificationCount) {
  Set("OTEL_EXPORTER_OTLP_ENDPOINT", "http://general");
  Set("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", "https://own/path");
  Set("OTEL_EXPORTER_OTLP_HEADERS", "authorization=Bearer%20x, tenant = a");
  Set("OTEL_EXPORTER_OTLP_METRICS_HEADERS", "extra=1");
  Set("OTEL_EXPORTER_OTLP_TIMEOUT", "2500");
  Set("OTEL_METRIC_EXPORT_INTERVAL", "1000");
  Set("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment=lab,service.name=other");
  Set("OTEL_SERVICE_NAME", "mine");
  const OtlpOptions options = ReadOtlpOptions("", "gan-train");
  EXPECT_EQ(options.metrics.url, "https://own/path");
  EXPECT_EQ(options.logs.url, "http://general/v1/logs");
  EXPECT_THAT(options.metrics.headers, ElementsAre("authorization: Bearer x", "tenant: a", "extra: 1"));
  EXPECT_EQ(options.metrics.timeout, 2500ms);
  EXPECT_EQ(options.interval, 1s);
  EXPECT_THAT(options.resource, ElementsAre(Pair("deployment.environment", "lab"), Pair("service.name", "mine")));
}

// Otherwise two headers of one name would be sent, and servers refuse that or take the wrong one.
TEST_F(OtlpOptionsTest, TheHeadersOfASignalWinOverThoseOfAll) {
  Set("OTEL_EXPORTER_OTLP_ENDPOINT", "http://general");
  Set("OTEL_EXPORTER_OTLP_HEADERS", "Authorization=Bearer%20all,tenant=a");
  Set("OTEL_EXPORTER_OTLP_METRICS_HEADERS", "authorization=Bearer%20metrics");
  const OtlpOptions options = ReadOtlpOptions("", "gan-train");
  EXPECT_THAT(options.metrics.headers, ElementsAre("tenant: a", "authorization: Bearer metrics"));
  EXPECT_THAT(options.logs.headers, ElementsAre("Authorization: Bearer all", "tenant: a"));
}

TEST_F(OtlpOptionsTest, TheFlagWinsOverTheVariableAndDisablingOverBoth) {
  Set("OTEL_EXPORTER_OTLP_ENDPOINT", "http://variable");
  EXPECT_EQ(ReadOtlpOptions("http://flag", "x").logs.url, "http://flag/v1/logs");
  for (const char* truth : {"true", "TRUE", "True"}) {
    Set("OTEL_SDK_DISABLED", truth);
    EXPECT_FALSE(ReadOtlpOptions("http://flag", "x").any()) << truth;
  }
  Set("OTEL_SDK_DISABLED", "1");
  EXPECT_TRUE(ReadOtlpOptions("http://flag", "x").any()) << "which is no truth";
}

TEST_F(OtlpOptionsTest, WrongVariablesAreNamedAndTheirValuesAreNot) {
  const std::pair<const char*, const char*> kWrong[] = {
      {"OTEL_EXPORTER_OTLP_HEADERS", "geheim"},       {"OTEL_EXPORTER_OTLP_HEADERS", "a=geheim%0d%0aX: y"},
      {"OTEL_EXPORTER_OTLP_HEADERS", "a=geheim%zz"},  {"OTEL_EXPORTER_OTLP_TIMEOUT", "-geheim"},
      {"OTEL_METRIC_EXPORT_INTERVAL", "0"},           {"OTEL_RESOURCE_ATTRIBUTES", "=geheim"},
      {"OTEL_EXPORTER_OTLP_LOGS_ENDPOINT", "geheim"}, {"OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"}};
  for (const auto& [name, value] : kWrong) {
    Set(name, value);
    try {
      ReadOtlpOptions("http://flag", "x");
      ADD_FAILURE() << name;
    } catch (const UsageError& error) {
      EXPECT_THAT(error.what(), HasSubstr(name));
      EXPECT_THAT(error.what(), Not(HasSubstr("geheim")));
    }
    ::unsetenv(name);
  }
}

TEST(OtlpJson, WhatWasRefusedIsReadFromAnyAnswer) {
  EXPECT_EQ(RefusedIn(R"({"partialSuccess":{"rejectedDataPoints":"7","errorMessage":"x"}})"), 7u);
  EXPECT_EQ(RefusedIn(R"({"partialSuccess":{"rejectedLogRecords":3}})"), 3u);
  for (const std::string& answer : {std::string(), std::string("{}"), std::string("[1]"), std::string("<html>"),
                                    std::string(R"({"partialSuccess":[]})"), std::string(100000, '[')}) {
    EXPECT_EQ(RefusedIn(answer), 0u);
  }
}

}  // namespace
}  // namespace gan::monitoring
