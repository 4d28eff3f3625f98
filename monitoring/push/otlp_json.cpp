#include "monitoring/push/otlp_json.h"

#include <cstdlib>
#include <nlohmann/json.hpp>

#include "storage/parse_json.h"

namespace gan::monitoring {

using Json = nlohmann::json;

namespace {

constexpr int kCumulative = 2;  // AGGREGATION_TEMPORALITY_CUMULATIVE

// Many readers store JSON numbers as doubles, which are exact up to 2^53 only, so the encoding writes 64-bit integers
// as text.
Json Integer(std::uint64_t value) { return std::to_string(value); }

Json AttributesJson(const Attributes& attributes) {
  Json list = Json::array();
  for (const auto& [name, value] : attributes) {
    list.push_back({{"key", name}, {"value", {{"stringValue", value}}}});
  }
  return list;
}

Json ScopeJson() { return {{"name", "equipoise"}, {"version", EQUIPOISE_VERSION}}; }

// The unit in the Unified Code for Units of Measure, which OpenTelemetry requires.
std::string UnitOf(std::string_view unit) {
  if (unit == "seconds") return "s";
  if (unit == "bytes") return "By";
  return std::string(unit);
}

Json Strings(const std::vector<std::uint64_t>& counts) {
  Json list = Json::array();
  for (const std::uint64_t count : counts) list.push_back(Integer(count));
  return list;
}

Json PointOf(const MetricSample& sample, std::uint64_t start, std::uint64_t now) {
  Json point = {{"attributes", AttributesJson(sample.labels)}, {"timeUnixNano", Integer(now)}};
  // From the start time a server learns that the counter began again at 0. Without it the server would see the counter
  // decrease.
  if (sample.row->type != MetricType::kGauge) point["startTimeUnixNano"] = Integer(start);
  if (sample.row->type != MetricType::kHistogram) {
    point["asDouble"] = sample.value;
    return point;
  }
  point["count"] = Integer(sample.count);
  point["sum"] = sample.value;
  point["bucketCounts"] = Strings(sample.bucket_counts);
  point["explicitBounds"] = std::vector<double>(sample.row->buckets.begin(), sample.row->buckets.end());
  return point;
}

Json EmptyMetric(const MetricRow& row) {
  Json metric = {{"name", row.name}, {"description", row.help}, {"unit", UnitOf(row.unit)}};
  Json data = {{"dataPoints", Json::array()}};
  if (row.type != MetricType::kGauge) data["aggregationTemporality"] = kCumulative;
  if (row.type == MetricType::kCounter) data["isMonotonic"] = true;
  metric[row.type == MetricType::kGauge     ? "gauge"
         : row.type == MetricType::kCounter ? "sum"
                                            : "histogram"] = std::move(data);
  return metric;
}

Json& PointsOf(Json& metric, MetricType type) {
  return metric[type == MetricType::kGauge     ? "gauge"
                : type == MetricType::kCounter ? "sum"
                                               : "histogram"]["dataPoints"];
}

std::string Dump(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

const char* SeverityText(int severity) { return severity >= 17 ? "ERROR" : severity >= 13 ? "WARN" : "INFO"; }

}  // namespace

// The samples of one metric are adjacent.
std::string MetricsRequest(const Attributes& resource, const std::vector<MetricSample>& samples, std::uint64_t start,
                           std::uint64_t now) {
  Json metrics = Json::array();
  const MetricRow* row = nullptr;
  for (const MetricSample& sample : samples) {
    if (sample.row != row) metrics.push_back(EmptyMetric(*sample.row));
    row = sample.row;
    PointsOf(metrics.back(), row->type).push_back(PointOf(sample, start, now));
  }
  return Dump({{"resourceMetrics",
                {{{"resource", {{"attributes", AttributesJson(resource)}}},
                  {"scopeMetrics", {{{"scope", ScopeJson()}, {"metrics", std::move(metrics)}}}}}}}});
}

std::string LogsRequest(const Attributes& resource, const std::vector<LogEvent>& events) {
  Json records = Json::array();
  for (const LogEvent& event : events) {
    records.push_back({{"timeUnixNano", Integer(event.unix_nanoseconds)},
                       {"observedTimeUnixNano", Integer(event.unix_nanoseconds)},
                       {"severityNumber", event.severity},
                       {"severityText", SeverityText(event.severity)},
                       {"eventName", "equipoise." + event.name},
                       {"body", {{"stringValue", event.text}}},
                       {"attributes", AttributesJson(event.attributes)}});
  }
  return Dump({{"resourceLogs",
                {{{"resource", {{"attributes", AttributesJson(resource)}}},
                  {"scopeLogs", {{{"scope", ScopeJson()}, {"logRecords", std::move(records)}}}}}}}});
}

// Counts are texts in this encoding, but some servers write numbers.
std::uint64_t RefusedIn(const std::string& answer) {
  // The answer of a server is bounded in size by the sender, and here in depth, before it is parsed.
  if (!storage::IsModestJson(answer)) return 0;
  const Json parsed = Json::parse(answer);
  const auto partial = parsed.is_object() ? parsed.find("partialSuccess") : parsed.end();
  if (!parsed.is_object() || partial == parsed.end() || !partial->is_object()) return 0;
  for (const char* name : {"rejectedDataPoints", "rejectedLogRecords"}) {
    const auto found = partial->find(name);
    if (found == partial->end()) continue;
    if (found->is_number_unsigned()) return found->get<std::uint64_t>();
    if (found->is_string()) return std::strtoull(found->get_ref<const std::string&>().c_str(), nullptr, 10);
  }
  return 0;
}

}  // namespace gan::monitoring
