// Destinations of OTLP, from --otlp-endpoint and the environment variables of the OpenTelemetry specification.
#pragma once

#include <chrono>
#include <map>
#include <string>

#include "monitoring/push/http_sender.h"

namespace gan::monitoring {

struct OtlpOptions {
  Destination metrics;  // an empty URL: not sent
  Destination logs;
  std::map<std::string, std::string> resource;  // attributes
  std::chrono::milliseconds interval{60'000};
  bool any() const { return !metrics.url.empty() || !logs.url.empty(); }
};

// `endpoint`: the value of --otlp-endpoint, which may be "@FILE"; it replaces OTEL_EXPORTER_OTLP_ENDPOINT. Also reads
// OTEL_EXPORTER_OTLP_METRICS_ENDPOINT, …_LOGS_ENDPOINT, OTEL_EXPORTER_OTLP_HEADERS, …_METRICS_HEADERS, …_LOGS_HEADERS,
// OTEL_EXPORTER_OTLP_TIMEOUT, OTEL_METRIC_EXPORT_INTERVAL, OTEL_RESOURCE_ATTRIBUTES, OTEL_SERVICE_NAME,
// OTEL_EXPORTER_OTLP_PROTOCOL and OTEL_SDK_DISABLED. Throws UsageError, which names the variable and contains no value.
OtlpOptions ReadOtlpOptions(const std::string& endpoint, const std::string& service);

// "key=value,key=value" with percent-encoded values, as in OTEL_RESOURCE_ATTRIBUTES and OTEL_EXPORTER_OTLP_HEADERS.
// Throws UsageError naming `variable`.
std::map<std::string, std::string> ParseBaggage(const std::string& text, const std::string& variable);

}  // namespace gan::monitoring
