// Pushes to whatever the test has prepared, and prints what it did as JSON.
//   push_subject alerts COUNT   to EQUIPOISE_ALERT_WEBHOOK
//   push_subject otlp COUNT     to OTEL_EXPORTER_OTLP_ENDPOINT
#include <algorithm>
#include <chrono>
#include <ctime>
#include <iostream>
#include <string>

#include <nlohmann/json.hpp>

#include "monitoring/push/alerts.h"
#include "monitoring/push/otlp.h"

namespace {

using namespace gan::monitoring;
using std::chrono::steady_clock;

double Seconds(steady_clock::time_point since) {
  return std::chrono::duration<double>(steady_clock::now() - since).count();
}

void Warn(const std::string& text) { std::cerr << text + "\n"; }

nlohmann::json PushAlerts(int count) {
  double longest = 0, flush = 0;
  {
    Alerts alerts(ReadAlertTargets("", ""), ".", Warn, {.burst = 1'000'000});
    for (int i = 0; i < count; ++i) {
      const auto start = steady_clock::now();
      alerts.Raise({.event = "verdict", .text = "text", .details = {{"step", i}}});
      longest = std::max(longest, Seconds(start));
    }
    const auto start = steady_clock::now();
    alerts.Flush(std::chrono::seconds(3));
    flush = Seconds(start);
  }
  return {{"longest_raise_seconds", longest}, {"flush_seconds", flush}};
}

// The queue holds 256 messages, so it is emptied now and then.
nlohmann::json PushOtlp(int count) {
  Metrics metrics({.port = -1, .constant_labels = {{"run", "x\xff"}}});
  std::uint64_t points = 0, lost = 0;
  double snapshot = 0;
  {
    Otlp otlp(ReadOtlpOptions("", "push-subject"), metrics, Warn);
    for (int i = 0; i < count; ++i) {
      metrics.Add(Metric::kImages, 1);
      metrics.Set(Metric::kDiscriminatorAuc, 0.5 + 1e-6 * i);
      metrics.Set(Metric::kLoss, 0.1 * i, "generator");
      metrics.Observe(Metric::kStepDuration, 0.002 * (i % 7), "total");
      points += metrics.Samples().size();
      const std::clock_t start = std::clock();
      otlp.PushNow();
      snapshot += static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
      otlp.Log({.name = "verdict", .text = "the verdict is balanced", .attributes = {{"step", std::to_string(i)}}});
      if (i % 64 == 63) {
        points += metrics.Samples().size();
        otlp.Flush(std::chrono::seconds(60));
      }
    }
    points += metrics.Samples().size();
    otlp.Flush(std::chrono::seconds(60));
    lost = otlp.lost();
  }
  return {{"points", points}, {"lost_messages", lost}, {"snapshot_seconds", snapshot / count}};
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  const int count = std::stoi(argv[2]);
  std::cout << (argv[1] == std::string("alerts") ? PushAlerts(count) : PushOtlp(count)).dump() << "\n";
  return 0;
}
