// Prometheus metrics of one process. The names, types, labels and help texts live in monitoring/metric_table.h alone.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "monitoring/http_server.h"
#include "monitoring/metric_table.h"

namespace gan::monitoring {

struct MetricsOptions {
  std::string address = "127.0.0.1";
  int port = 9400;  // 0: any free port; negative: none; rank r of a host uses port + r
  int rank = 0;
  int local_rank = 0;
  std::map<std::string, std::string> constant_labels = {};  // job, run
  std::string credentials = {};                             // "user:password" of the endpoint, or empty
  std::vector<std::string> prefixes = {};                   // of the names to export; none: all of the table
  std::map<std::string, std::string> build_facts = {};      // labels of gan_build_info beside version and compiler
};

// Serves /metrics and /healthz. Thread-safe. A port in use is not an error: serving() is false, why() says so, and
// every call still works. Cost: Set and Add take well under a microsecond (children are looked up once, at
// construction).
class Metrics {
 public:
  explicit Metrics(const MetricsOptions& options);
  ~Metrics();

  // `label_value` is one of the values that the metric's row lists; an unknown one is an assertion failure.
  // So is Set on anything but a gauge, Add on anything but a counter, Observe on anything but a histogram.
  // Metrics whose scope is kJob are exported by rank 0 alone: on other ranks these calls do nothing.
  // A gauge that was never set, or was set to a value that is not finite, has no sample in the output: NaN would
  // look like a value and never fire an alert.
  void Set(Metric metric, double value, std::string_view label_value = {});
  void Add(Metric metric, double amount, std::string_view label_value = {});
  void Observe(Metric metric, double value, std::string_view label_value = {});

  // What /metrics answers: Prometheus text format 0.0.4.
  std::string Text() const;

  bool serving() const;
  const std::string& why() const;  // why nothing is served
  int port() const;                // the real one
  std::string address() const;     // where others reach it, "127.0.0.1:9400"; empty when nothing is served
  HttpServer* server();            // for pages that join it; null when nothing is served

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// Prometheus file_sd: [{"targets": [...], "labels": {...}}], written atomically.
void WriteTargetsFile(const std::string& path, const std::vector<std::string>& targets,
                      const std::map<std::string, std::string>& labels);

}  // namespace gan::monitoring
