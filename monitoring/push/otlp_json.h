// The JSON encoding of OTLP (opentelemetry-proto, "JSON Protobuf Encoding"): 64-bit integers are texts, names are in
// lowerCamelCase.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "monitoring/metrics.h"

namespace gan::monitoring {

using Attributes = std::map<std::string, std::string>;

struct LogEvent {
  std::uint64_t unix_nanoseconds = 0;
  std::string name = {};  // "verdict", "intervention"
  std::string text = {};
  int severity = 9;  // SeverityNumber: 9 is INFO, 13 is WARN, 17 is ERROR
  Attributes attributes = {};
};

// An ExportMetricsServiceRequest. Counters and histograms are cumulative since `start`.
std::string MetricsRequest(const Attributes& resource, const std::vector<MetricSample>& samples,
                           std::uint64_t start_nanoseconds, std::uint64_t now_nanoseconds);
// An ExportLogsServiceRequest.
std::string LogsRequest(const Attributes& resource, const std::vector<LogEvent>& events);
// The number of refused items according to partialSuccess in the answer; 0 when there is none or the answer is not
// JSON.
std::uint64_t RefusedIn(const std::string& answer);

}  // namespace gan::monitoring
