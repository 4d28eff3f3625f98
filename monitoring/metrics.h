// The Prometheus metrics of one process. Names, types, labels and help texts are in monitoring/metric_table.h.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "monitoring/http_server.h"
#include "monitoring/metric_table.h"

namespace gan::monitoring {

struct MetricsOptions {
  std::string address = "127.0.0.1";
  int port = 9400;  // 0: any free port; negative: no server; local rank r uses port + r
  int rank = 0;
  int local_rank = 0;
  std::map<std::string, std::string> constant_labels = {};  // job, run
  std::string credentials = {};                             // "user:password" for the endpoint; empty: none required
  std::vector<std::string> prefixes = {};                   // prefixes of the names to export; empty: all metrics
  // The label values of Metric::kInterventions, which trainer/balance names. They must outlive the metrics.
  std::span<const std::string_view> interventions = {};
  std::map<std::string, std::string> build_facts = {};  // labels of gan_build_info beside version and compiler
};

// The value of one time series at one moment.
struct MetricSample {
  const MetricRow* row = nullptr;
  std::map<std::string, std::string> labels;
  double value = 0;                          // of a histogram: the sum of its values
  std::uint64_t count = 0;                   // of a histogram
  std::vector<std::uint64_t> bucket_counts;  // of a histogram: not cumulative, one more than it has bounds
};

// Serves /metrics and /healthz. Thread-safe. A port that is in use is not an error: then serving() is false, why()
// returns the reason, and every other call still works. Set and Add take well under a microsecond, because the children
// of each metric family are looked up once, in the constructor.
class Metrics {
 public:
  explicit Metrics(const MetricsOptions& options);
  ~Metrics();

  // `label_value` is one of the values in the metric's row; any other value fails an assertion. So does Set on anything
  // but a gauge, Add on anything but a counter, and Observe on anything but a histogram. Only rank 0 exports metrics
  // with scope kJob: on other ranks these calls do nothing. A gauge that was never set, or was set to a value that is
  // not finite, has no sample in the output, because an alert on NaN would never fire.
  void Set(Metric metric, double value, std::string_view label_value = {});
  void Add(Metric metric, double amount, std::string_view label_value = {});
  void Observe(Metric metric, double value, std::string_view label_value = {});

  // The response to /metrics, in Prometheus text format 0.0.4.
  std::string Text() const;
  // The same values, with the series of one metric side by side.
  std::vector<MetricSample> Samples() const;

  bool serving() const;
  const std::string& why() const;  // why the server does not run
  int port() const;                // the actual port
  std::string address() const;  // where others reach the endpoint, "127.0.0.1:9400"; empty when the server does not run
  HttpServer* server();         // for pages that add their paths; null when the server does not run

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// Writes a target file for Prometheus's file_sd: [{"targets": [...], "labels": {...}}]. Atomic.
void WriteTargetsFile(const std::string& path, const std::vector<std::string>& targets,
                      const std::map<std::string, std::string>& labels);

}  // namespace gan::monitoring
