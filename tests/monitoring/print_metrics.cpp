// Fills every series, fetches /metrics of its own endpoint and prints it, for `promtool check metrics`.
// --idle: prints what the endpoint answers before anything was set.
#include <iostream>
#include <string_view>
#include <vector>

#include "monitoring/metrics.h"
#include "tests/monitoring/http_client.h"

namespace {

using gan::monitoring::MetricType;

constexpr std::string_view kInterventions[] = {"rollback"};

void SetAll(gan::monitoring::Metrics& metrics) {
  for (const auto& row : gan::monitoring::Table()) {
    std::vector<std::string_view> values(row.label_values.begin(), row.label_values.end());
    if (values.empty()) values.emplace_back(row.label.empty() ? "" : kInterventions[0]);
    for (const auto value : values) {
      if (row.type == MetricType::kGauge) metrics.Set(row.metric, 0.25, value);
      if (row.type == MetricType::kCounter) metrics.Add(row.metric, 2, value);
      if (row.type == MetricType::kHistogram) metrics.Observe(row.metric, 0.25, value);
    }
  }
}

}  // namespace

int main(int argument_count, char** arguments) {
  gan::monitoring::Metrics metrics({.port = 0, .constant_labels = {{"run", "0007"}}, .interventions = kInterventions});
  if (argument_count < 2 || std::string_view(arguments[1]) != "--idle") SetAll(metrics);
  const std::string text = gan::monitoring::Body(gan::monitoring::Request(metrics.port(), "GET", "/metrics"));
  std::cout << text;
  return text.empty() ? 1 : 0;
}
