// Dashboards, alert rules and docs against the metric table: no name that does not exist, none forgotten.
// dashboards_test.py checks what the dashboards look like.
#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "monitoring/metric_table.h"

namespace gan::monitoring {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

const std::string kRoot = EQUIPOISE_SOURCE_DIR;
const std::vector<std::string> kDashboards = {kRoot + "/monitoring/grafana/gan-balance.json",
                                              kRoot + "/monitoring/grafana/gan-data.json",
                                              kRoot + "/monitoring/grafana/gan-ranks.json"};
const std::string kAlerts = kRoot + "/monitoring/prometheus/alerts.yml";
const std::string kAlertsTest = kRoot + "/monitoring/prometheus/alerts_test.yml";
const std::string kDocs = kRoot + "/docs/monitoring.md";
const std::string kRunbooks = kRoot + "/docs/runbooks/";

// Metrics for people who look for them; no panel and no alert uses them.
const std::set<std::string> kUsedByNone = {"process_open_fds"};

std::string Read(const std::string& path) {
  std::ifstream file(path);
  EXPECT_TRUE(file.good()) << path;
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

std::vector<std::string> All(const std::string& text, const std::string& pattern) {
  const std::regex regex(pattern);
  std::vector<std::string> found;
  for (std::sregex_iterator match(text.begin(), text.end(), regex), end; match != end; ++match) {
    found.push_back((*match)[1].str());
  }
  return found;
}

// The table's name behind a series name: a histogram's series end in _bucket, _sum and _count.
std::string WithoutSuffix(const std::string& series) {
  for (const MetricRow& row : Table()) {
    std::string name(row.name);
    if (row.type != MetricType::kHistogram) continue;
    if (series == name + "_bucket" || series == name + "_sum" || series == name + "_count") return name;
  }
  return series;
}

std::set<std::string> NamesIn(const std::string& text) {
  std::set<std::string> names;
  for (const auto& series : All(text, R"(\b((?:gan|process)_[a-z0-9_]+))")) names.insert(WithoutSuffix(series));
  return names;
}

std::set<std::string> NamesOfTable() {
  std::set<std::string> names;
  for (const MetricRow& row : Table()) names.emplace(row.name);
  return names;
}

std::set<std::string> LabelValuesOfTable(const std::string& label) {
  std::set<std::string> values;
  for (const MetricRow& row : Table()) {
    if (row.label == label) values.insert(row.label_values.begin(), row.label_values.end());
  }
  return values;
}

void ExpectKnownNames(const std::string& path) {
  const auto names = NamesIn(Read(path));
  EXPECT_THAT(names, Not(IsEmpty())) << path;
  for (const auto& name : names) EXPECT_EQ(NamesOfTable().count(name), 1U) << path << ": " << name;
}

void ExpectKnownLabelValues(const std::string& path) {
  for (const char* label : {"network", "input", "state", "action", "phase"}) {
    const auto known = LabelValuesOfTable(label);
    for (const auto& value : All(Read(path), std::string("\\b") + label + R"re(=\\?"([a-z_]+)\\?")re")) {
      EXPECT_EQ(known.count(value), 1U) << path << ": " << label << "=" << value;
    }
  }
}

std::vector<std::string> AllFiles() {
  std::vector<std::string> files = kDashboards;
  files.insert(files.end(), {kAlerts, kAlertsTest, kDocs});
  return files;
}

std::string DocsRow(const MetricRow& row) {
  std::string labels(row.label);
  for (const auto value : row.label_values) labels += (labels == row.label ? ": " : ", ") + std::string(value);
  const std::string help = std::regex_replace(std::string(row.help), std::regex("\\|"), "\\|");
  return "| `" + std::string(row.name) + "` | " + std::string(Name(row.type)) + " | " + std::string(row.unit) + " | " +
         labels + " | " + (row.scope == Scope::kJob ? "rank 0" : "every rank") + " | " + help + " |\n";
}

TEST(Drift, FilesUseOnlyNamesOfTheTable) {
  for (const auto& path : AllFiles()) ExpectKnownNames(path);
}

TEST(Drift, FilesUseOnlyLabelValuesOfTheTable) {
  for (const auto& path : AllFiles()) ExpectKnownLabelValues(path);
}

TEST(Drift, EveryMetricIsUsedByAPanelOrAnAlertOrNamedAsUsedByNone) {
  std::string users = Read(kAlerts);
  for (const auto& path : kDashboards) users += Read(path);
  const auto used = NamesIn(users);
  for (const auto& name : NamesOfTable()) EXPECT_NE(used.count(name), kUsedByNone.count(name)) << name;
}

TEST(Drift, DocsHaveTheTableRowByRow) {
  const std::string docs = Read(kDocs);
  for (const MetricRow& row : Table()) EXPECT_THAT(docs, HasSubstr(DocsRow(row)));
}

TEST(Drift, DocsHaveNoRowThatTheTableLacks) {
  const auto rows = All(Read(kDocs), R"(\n\| `((?:gan|process)_\w+)` \|)");
  EXPECT_EQ(rows.size(), Table().size());
}

TEST(Drift, EveryAlertHasItsRunbookItsRowAndBothTestCases) {
  const auto alerts = All(Read(kAlerts), R"(- alert: (\w+))");
  EXPECT_GE(alerts.size(), 13U);
  for (const auto& alert : alerts) {
    EXPECT_TRUE(alert.starts_with("Gan")) << alert;
    EXPECT_THAT(Read(kAlerts), HasSubstr("runbook_url: docs/runbooks/" + alert + ".md\n"));
    EXPECT_THAT(Read(kDocs), HasSubstr("| [" + alert + "](runbooks/" + alert + ".md) |"));
    EXPECT_THAT(Read(kAlertsTest), HasSubstr("# " + alert + " fires: "));
    EXPECT_THAT(Read(kAlertsTest), HasSubstr("# " + alert + " is quiet: "));
    const std::string runbook = Read(kRunbooks + alert + ".md");
    EXPECT_TRUE(runbook.starts_with("# " + alert + "\n")) << alert;
    for (const char* part : {"\n## What it means\n", "\n## What to look at\n", "\n## What to do\n"}) {
      EXPECT_THAT(runbook, HasSubstr(part)) << alert;
    }
  }
}

TEST(Drift, NoRunbookIsForAnAlertThatDoesNotExist) {
  const std::string alerts = Read(kAlerts);
  for (const auto& entry : std::filesystem::directory_iterator(kRunbooks)) {
    EXPECT_THAT(alerts, HasSubstr("- alert: " + entry.path().stem().string() + "\n"));
  }
}

// A name that a page tells the reader to look for must exist.
TEST(Drift, RunbooksNamePanelsThatExist) {
  std::string there = Read(kRoot + "/monitoring/page/page.html");
  for (const auto& path : kDashboards) there += Read(path);
  for (const auto& entry : std::filesystem::directory_iterator(kRunbooks)) {
    const std::string runbook = std::regex_replace(Read(entry.path()), std::regex(R"(\s*\n\s*)"), " ");
    for (const auto& name : All(runbook, R"((?:^|[^*])\*([A-Z][^*]+)\*(?!\*))")) {
      EXPECT_THAT(there, HasSubstr(name)) << entry.path();
    }
  }
}

}  // namespace
}  // namespace gan::monitoring
