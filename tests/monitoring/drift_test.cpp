// Dashboard, alert rules and docs/monitoring.md against the metric table: no name that does not exist, none forgotten.
#include <gmock/gmock.h>

#include <fstream>
#include <nlohmann/json.hpp>
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
const std::string kDashboard = kRoot + "/monitoring/grafana/gan-balance.json";
const std::string kAlerts = kRoot + "/monitoring/prometheus/alerts.yml";
const std::string kAlertsTest = kRoot + "/monitoring/prometheus/alerts_test.yml";
const std::string kDocs = kRoot + "/docs/monitoring.md";

// In the table for people who look for them, not worth a panel.
const std::set<std::string> kWithoutPanel = {"process_open_fds", "process_start_time_seconds"};

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

nlohmann::json Dashboard() { return nlohmann::json::parse(Read(kDashboard)); }

std::vector<nlohmann::json> Panels() {
  std::vector<nlohmann::json> panels;
  const auto dashboard = Dashboard();
  for (const auto& panel : dashboard.at("panels")) {
    if (panel.at("type") != "row") panels.push_back(panel);
  }
  return panels;
}

std::string DocsRow(const MetricRow& row) {
  std::string labels(row.label);
  for (const auto value : row.label_values) labels += (labels == row.label ? ": " : ", ") + std::string(value);
  const std::string help = std::regex_replace(std::string(row.help), std::regex("\\|"), "\\|");
  return "| `" + std::string(row.name) + "` | " + std::string(Name(row.type)) + " | " + std::string(row.unit) + " | " +
         labels + " | " + (row.scope == Scope::kJob ? "rank 0" : "every rank") + " | " + help + " |\n";
}

TEST(Drift, FilesUseOnlyNamesOfTheTable) {
  for (const auto& path : {kDashboard, kAlerts, kAlertsTest, kDocs}) ExpectKnownNames(path);
}

TEST(Drift, FilesUseOnlyLabelValuesOfTheTable) {
  for (const auto& path : {kDashboard, kAlerts, kAlertsTest, kDocs}) ExpectKnownLabelValues(path);
}

TEST(Drift, EveryMetricHasAPanelOrIsNamedAsHavingNone) {
  const auto on_dashboard = NamesIn(Read(kDashboard));
  for (const auto& name : NamesOfTable()) {
    EXPECT_NE(on_dashboard.count(name), kWithoutPanel.count(name)) << name;
  }
}

TEST(Drift, DocsHaveTheTableRowByRow) {
  const std::string docs = Read(kDocs);
  for (const MetricRow& row : Table()) EXPECT_THAT(docs, HasSubstr(DocsRow(row)));
}

TEST(Drift, EveryAlertHasARunbookAndBothTestCases) {
  const auto alerts = All(Read(kAlerts), R"(- alert: (\w+))");
  EXPECT_GE(alerts.size(), 6U);
  for (const auto& alert : alerts) {
    EXPECT_TRUE(alert.starts_with("Gan")) << alert;
    EXPECT_THAT(Read(kDocs), HasSubstr("\n### " + alert + "\n"));
    EXPECT_THAT(Read(kAlertsTest), HasSubstr("# " + alert + " fires: "));
    EXPECT_THAT(Read(kAlertsTest), HasSubstr("# " + alert + " is quiet: "));
    std::string anchor = alert;
    for (char& letter : anchor) letter = static_cast<char>(std::tolower(static_cast<unsigned char>(letter)));
    EXPECT_THAT(Read(kAlerts), HasSubstr("runbook_url: docs/monitoring.md#" + anchor + "\n"));
  }
}

TEST(Dashboard, EveryPanelIsExplained) {
  for (const auto& panel : Panels()) {
    const std::string title = panel.at("title");
    EXPECT_FALSE(title.empty());
    EXPECT_GT(panel.at("description").get<std::string>().size(), 20U) << title;
    EXPECT_FALSE(panel.at("fieldConfig").at("defaults").at("unit").get<std::string>().empty()) << title;
    EXPECT_FALSE(panel.at("targets").empty()) << title;
  }
}

TEST(Dashboard, PanelsAskTheChosenSourceForTheChosenRun) {
  for (const auto& panel : Panels()) {
    EXPECT_EQ(panel.at("datasource").at("uid"), "${datasource}");
    for (const auto& target : panel.at("targets")) {
      EXPECT_THAT(target.at("expr").get<std::string>(), HasSubstr("job=~\"$job\",run=~\"$run\""));
    }
  }
}

TEST(Dashboard, VariablesAreSourceJobRunAndRank) {
  std::vector<std::string> names;
  const auto dashboard = Dashboard();
  for (const auto& variable : dashboard.at("templating").at("list")) names.push_back(variable.at("name"));
  EXPECT_THAT(names, ::testing::ElementsAre("datasource", "job", "run", "rank"));
}

TEST(Dashboard, PanelsDoNotOverlapAndHaveTheirOwnIds) {
  std::set<int> ids;
  std::set<std::pair<int, int>> cells;
  const auto dashboard = Dashboard();
  for (const auto& panel : dashboard.at("panels")) {
    EXPECT_TRUE(ids.insert(panel.at("id").get<int>()).second) << panel.at("title");
    const auto& at = panel.at("gridPos");
    EXPECT_LE(at.at("x").get<int>() + at.at("w").get<int>(), 24) << panel.at("title");
    for (int x = at.at("x"); x < at.at("x").get<int>() + at.at("w").get<int>(); ++x) {
      for (int y = at.at("y"); y < at.at("y").get<int>() + at.at("h").get<int>(); ++y) {
        EXPECT_TRUE(cells.emplace(x, y).second) << panel.at("title");
      }
    }
  }
}

}  // namespace
}  // namespace gan::monitoring
