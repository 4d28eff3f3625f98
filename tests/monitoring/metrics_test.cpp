#include "monitoring/metrics.h"

#include <gmock/gmock.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>
#include <set>
#include <thread>

#include "tests/monitoring/allocation_count.h"
#include "tests/monitoring/http_client.h"

namespace gan::monitoring {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

constexpr std::string_view kInterventions[] = {"freeze_g", "rollback"};

MetricsOptions AnyPort(int rank = 0) {
  return {.port = 0,
          .rank = rank,
          .local_rank = rank,
          .constant_labels = {{"run", "0007"}},
          .interventions = kInterventions};
}

MetricsOptions NoPort(int rank = 0) {
  MetricsOptions options = AnyPort(rank);
  options.port = -1;
  return options;
}

// Gives every series of the table a value.
void SetAll(Metrics& metrics) {
  for (const MetricRow& row : Table()) {
    std::vector<std::string_view> values(row.label_values.begin(), row.label_values.end());
    if (values.empty()) values.emplace_back(row.label.empty() ? "" : kInterventions[0]);
    for (const auto value : values) {
      if (row.type == MetricType::kGauge) metrics.Set(row.metric, 0.25, value);
      if (row.type == MetricType::kCounter) metrics.Add(row.metric, 0.25, value);
      if (row.type == MetricType::kHistogram) metrics.Observe(row.metric, 0.25, value);
    }
  }
}

TEST(MetricTable, NamesAreUnique) {
  std::set<std::string_view> names;
  for (const MetricRow& row : Table()) EXPECT_TRUE(names.insert(row.name).second) << row.name;
}

TEST(MetricTable, NamesFollowTypeAndUnit) {
  for (const MetricRow& row : Table()) {
    EXPECT_EQ(row.name.ends_with("_total"), row.type == MetricType::kCounter) << row.name;
    EXPECT_EQ(!row.buckets.empty(), row.type == MetricType::kHistogram) << row.name;
    EXPECT_EQ(row.label.empty() || row.metric == Metric::kInterventions, row.label_values.empty()) << row.name;
    EXPECT_TRUE(row.help.ends_with(".")) << row.name;
    if (row.unit == "1") continue;
    EXPECT_NE(row.name.find(row.unit), std::string_view::npos) << row.name << " does not name its unit";
  }
}

TEST(Metrics, EveryNameOfTheTableIsThereFromTheStart) {
  const std::string text = Metrics(NoPort()).Text();
  for (const MetricRow& row : Table()) {
    const std::string name(row.name);
    EXPECT_THAT(text, HasSubstr("# HELP " + name + " " + std::string(row.help) + "\n"));
    EXPECT_THAT(text, HasSubstr("# TYPE " + name + " " + std::string(Name(row.type)) + "\n"));
  }
}

TEST(Metrics, WhatIsSetIsServed) {
  Metrics metrics(AnyPort());
  metrics.Set(Metric::kLoss, 0.5, "generator");
  metrics.Set(Metric::kWorldSize, 4);
  metrics.Add(Metric::kSteps, 2, "generator");
  metrics.Add(Metric::kSteps, 1, "generator");
  metrics.Observe(Metric::kStepDuration, 0.3, "total");
  const std::string response = Request(metrics.port(), "GET", "/metrics");
  EXPECT_THAT(response, HasSubstr("Content-Type: text/plain; version=0.0.4; charset=utf-8\r\n"));
  const std::string text = Body(response);
  EXPECT_THAT(text, HasSubstr("gan_train_loss{run=\"0007\",network=\"generator\"} 0.5\n"));
  EXPECT_THAT(text, HasSubstr("gan_train_world_size{run=\"0007\"} 4\n"));
  EXPECT_THAT(text, HasSubstr("gan_train_steps_total{run=\"0007\",network=\"generator\"} 3\n"));
  EXPECT_THAT(text, HasSubstr("phase=\"total\",rank=\"0\",le=\"0.25\"} 0\n"));
  EXPECT_THAT(text, HasSubstr("phase=\"total\",rank=\"0\",le=\"0.5\"} 1\n"));
}

TEST(Metrics, HealthIsServed) {
  const Metrics metrics(AnyPort());
  EXPECT_EQ(Body(Request(metrics.port(), "GET", "/healthz")), "ok\n");
}

TEST(Metrics, OtherRanksExportOnlyWhatIsLocal) {
  Metrics metrics(NoPort(3));
  SetAll(metrics);
  const std::string text = metrics.Text();
  for (const MetricRow& row : Table()) {
    const std::string type_line = "# TYPE " + std::string(row.name) + " ";
    if (row.scope == Scope::kRank) {
      EXPECT_THAT(text, HasSubstr(type_line));
    } else {
      EXPECT_THAT(text, Not(HasSubstr(type_line)));
    }
  }
  EXPECT_THAT(text, HasSubstr("gan_data_wait_seconds_total{run=\"0007\",rank=\"3\"} 0.25\n"));
}

TEST(Metrics, AGaugeThatWasNeverSetHasNoSample) {
  EXPECT_THAT(Metrics(NoPort()).Text(), Not(HasSubstr("gan_train_loss{")));
}

TEST(Metrics, NotANumberIsNeverExported) {
  Metrics metrics(NoPort());
  metrics.Set(Metric::kDiscriminatorAuc, 0.75);
  EXPECT_THAT(metrics.Text(), HasSubstr("gan_train_discriminator_auc_ratio{run=\"0007\"} 0.75\n"));
  for (const double value : {std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity()}) {
    metrics.Set(Metric::kDiscriminatorAuc, value);
    EXPECT_THAT(metrics.Text(), Not(HasSubstr("gan_train_discriminator_auc_ratio{")));
  }
}

TEST(Metrics, CountersAreThereBeforeTheyCount) {
  const std::string text = Metrics(NoPort()).Text();
  EXPECT_THAT(text, HasSubstr("gan_train_nonfinite_total{run=\"0007\",network=\"discriminator\"} 0\n"));
  EXPECT_THAT(text, HasSubstr("gan_train_interventions_total{run=\"0007\",action=\"rollback\"} 0\n"));
}

TEST(Metrics, BuildFactsAreLabels) {
  MetricsOptions options = NoPort();
  options.build_facts = {{"libtorch", "2.11.0"}};
  const std::string text = Metrics(options).Text();
  const std::string sample = text.substr(text.find("gan_build_info{"));
  const std::string line = sample.substr(0, sample.find('\n'));
  EXPECT_THAT(line, HasSubstr("libtorch=\"2.11.0\""));
  EXPECT_THAT(line, HasSubstr("version=\""));
  EXPECT_TRUE(line.ends_with("} 1")) << line;
}

double ValueOf(const std::string& text, const std::string& name) {
  const std::string sample = text.substr(text.find("\n" + name + "{") + 1);
  return std::stod(sample.substr(sample.find("} ") + 2));
}

TEST(Metrics, ProcessMetricsAreReadAtEveryScrape) {
  const Metrics metrics(NoPort());
  EXPECT_GT(ValueOf(metrics.Text(), "process_resident_memory_bytes"), 1e6);
  EXPECT_GT(ValueOf(metrics.Text(), "process_open_fds"), 2);
  const double before = ValueOf(metrics.Text(), "process_cpu_seconds_total");
  const auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds(50);
  while (std::chrono::steady_clock::now() < until) continue;
  EXPECT_GT(ValueOf(metrics.Text(), "process_cpu_seconds_total"), before);
}

TEST(Metrics, ABusyPortIsNotAnError) {
  const Metrics first(AnyPort());
  MetricsOptions options = AnyPort();
  options.port = first.port();
  Metrics second(options);
  EXPECT_FALSE(second.serving());
  EXPECT_THAT(second.why(), HasSubstr(first.address()));
  EXPECT_THAT(second.address(), IsEmpty());
  EXPECT_EQ(second.server(), nullptr);
  SetAll(second);
  EXPECT_THAT(second.Text(), HasSubstr("gan_train_loss{"));
}

TEST(Metrics, SwitchedOffListensNowhere) {
  const Metrics metrics(NoPort());
  EXPECT_FALSE(metrics.serving());
  EXPECT_EQ(metrics.port(), 0);
  EXPECT_THAT(metrics.why(), HasSubstr("off"));
}

TEST(Metrics, RanksOfAHostTakePortsInARow) {
  // Ports may be taken meanwhile by others, so a few bases are tried.
  for (int attempt = 0; attempt < 20; ++attempt) {
    const int base = Metrics(AnyPort()).port();
    MetricsOptions options = AnyPort(1);
    options.port = base;
    const Metrics second(options);
    if (!second.serving()) continue;
    EXPECT_EQ(second.port(), base + 1);
    return;
  }
  FAIL() << "no free port above a free one in 20 tries";
}

TEST(Metrics, LoopbackIsTheDefault) { EXPECT_THAT(Metrics(AnyPort()).address(), StartsWith("127.0.0.1:")); }

TEST(Metrics, HotCallsLookNothingUp) {
  Metrics metrics(NoPort());
  SetAll(metrics);
  const std::size_t before = AllocationsOfThisThread();
  SetAll(metrics);
  const std::size_t for_lists = Table().size();  // SetAll's own list of label values, one allocation per row
  EXPECT_LE(AllocationsOfThisThread() - before, for_lists);
}

TEST(Metrics, ScrapesDuringUpdatesSeeWholeSamples) {
  Metrics metrics(AnyPort());
  std::atomic<bool> done = false;
  std::thread updating([&] {
    while (!done) SetAll(metrics);
  });
  std::vector<std::thread> scraping;
  scraping.reserve(3);
  for (int i = 0; i < 3; ++i) {
    scraping.emplace_back([&] {
      for (int scrape = 0; scrape < 20; ++scrape) {
        const std::string text = Body(Request(metrics.port(), "GET", "/metrics"));
        EXPECT_THAT(text, HasSubstr("# TYPE gan_train_loss gauge\n"));
        EXPECT_TRUE(text.ends_with("\n"));
      }
    });
  }
  for (std::thread& thread : scraping) thread.join();
  done = true;
  updating.join();
}

TEST(Metrics, AWrongLabelValueChangesNothing) {
  Metrics metrics(NoPort());
  EXPECT_DEBUG_DEATH(metrics.Set(Metric::kLoss, 1, "critic"), "label value");
  EXPECT_DEBUG_DEATH(metrics.Set(Metric::kWorldSize, 1, "generator"), "label value");
  EXPECT_DEBUG_DEATH(metrics.Set(Metric::kSteps, 1, "generator"), "kGauge");
  EXPECT_DEBUG_DEATH(metrics.Add(Metric::kLoss, 1, "generator"), "kCounter");
  EXPECT_DEBUG_DEATH(metrics.Observe(Metric::kLoss, 1, "generator"), "kHistogram");
  const std::string text = metrics.Text();
  EXPECT_THAT(text, Not(HasSubstr("critic")));
  EXPECT_THAT(text, Not(HasSubstr("gan_train_world_size{")));
  EXPECT_THAT(text, HasSubstr("gan_train_steps_total{run=\"0007\",network=\"generator\"} 0\n"));
}

TEST(TargetsFile, NamesAllTargetsAndLabels) {
  const auto path = std::filesystem::path(testing::TempDir()) / "prometheus-targets.json";
  WriteTargetsFile(path.string(), {"127.0.0.1:9400", "127.0.0.1:9401"}, {{"run", "0007"}});
  std::ifstream file(path);
  const auto groups = nlohmann::json::parse(file);
  ASSERT_EQ(groups.size(), 1U);
  EXPECT_EQ(groups[0]["targets"], (nlohmann::json{"127.0.0.1:9400", "127.0.0.1:9401"}));
  EXPECT_EQ(groups[0]["labels"], (nlohmann::json{{"run", "0007"}}));
}

}  // namespace
}  // namespace gan::monitoring
