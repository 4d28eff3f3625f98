#include "monitoring/metrics.h"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include <algorithm>
#include <cassert>
#include <chrono>
#include <cmath>
#include <exception>
#include <limits>
#include <mutex>
#include <nlohmann/json.hpp>
#include <utility>

#include "monitoring/process.h"
#include "storage/files.h"

namespace gan::monitoring {
namespace {

// The initial value of gauges: samples that are not finite are left out of the output.
constexpr double kNotSet = std::numeric_limits<double>::quiet_NaN();
constexpr const char* kContentType = "text/plain; version=0.0.4; charset=utf-8";

// One time series. Exactly one pointer is set; the registry owns what it points to.
struct Series {
  prometheus::Gauge* gauge = nullptr;
  prometheus::Counter* counter = nullptr;
  prometheus::Histogram* histogram = nullptr;
};

std::size_t Index(Metric metric) { return static_cast<std::size_t>(metric); }

// Metrics of a rank have its number as a label; only the build info has further ones.
prometheus::Labels LabelsOf(const MetricRow& row, const MetricsOptions& options, std::string_view label_value) {
  prometheus::Labels labels;
  if (row.scope == Scope::kRank) labels["rank"] = std::to_string(options.rank);
  if (!row.label.empty()) labels[std::string(row.label)] = label_value;
  if (row.metric != Metric::kBuildInfo) return labels;
  labels.insert(options.build_facts.begin(), options.build_facts.end());
  labels.emplace("version", EQUIPOISE_VERSION);
  labels.emplace("compiler", __VERSION__);
  return labels;
}

// Adds one series to the row's metric family. Registering the same name again returns the same family.
template <class Builder, class... Initial>
auto* AddTo(prometheus::Registry& registry, Builder builder, const MetricRow& row, const MetricsOptions& options,
            std::string_view label_value, Initial... initial) {
  auto& family = builder.Name(std::string(row.name))
                     .Help(std::string(row.help))
                     .Labels({options.constant_labels.begin(), options.constant_labels.end()})
                     .Register(registry);
  return &family.Add(LabelsOf(row, options, label_value), initial...);
}

Series MakeSeries(prometheus::Registry& registry, const MetricRow& row, const MetricsOptions& options,
                  std::string_view label_value) {
  Series series;
  switch (row.type) {
    case MetricType::kGauge:
      series.gauge = AddTo(registry, prometheus::BuildGauge(), row, options, label_value, kNotSet);
      break;
    case MetricType::kCounter:
      series.counter = AddTo(registry, prometheus::BuildCounter(), row, options, label_value);
      break;
    case MetricType::kHistogram:
      series.histogram = AddTo(registry, prometheus::BuildHistogram(), row, options, label_value,
                               prometheus::Histogram::BucketBoundaries(row.buckets.begin(), row.buckets.end()));
      break;
  }
  return series;
}

// Prometheus would store a NaN as a value, and comparisons with it never fire an alert.
void DropSamplesWithoutValue(prometheus::MetricFamily& family) {
  if (family.type != prometheus::MetricType::Gauge) return;
  std::erase_if(family.metric, [](const auto& sample) { return !std::isfinite(sample.gauge.value); });
}

// The buckets of Prometheus are cumulative: each counts all values up to its bound.
MetricSample SampleOf(const MetricRow& row, const prometheus::ClientMetric& metric) {
  MetricSample sample;
  sample.row = &row;
  for (const auto& label : metric.label) sample.labels[label.name] = label.value;
  if (row.type == MetricType::kGauge) sample.value = metric.gauge.value;
  if (row.type == MetricType::kCounter) sample.value = metric.counter.value;
  if (row.type != MetricType::kHistogram) return sample;
  sample.value = metric.histogram.sample_sum;
  sample.count = metric.histogram.sample_count;
  std::uint64_t below = 0;
  for (const auto& bucket : metric.histogram.bucket) {
    // OTLP needs the count of each bucket alone.
    sample.bucket_counts.push_back(bucket.cumulative_count - below);
    below = bucket.cumulative_count;
  }
  return sample;
}

bool IsWanted(const MetricRow& row, const MetricsOptions& options) {
  const auto begins = [&](const std::string& prefix) { return row.name.starts_with(prefix); };
  return options.prefixes.empty() || std::any_of(options.prefixes.begin(), options.prefixes.end(), begins);
}

double UnixSeconds() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

}  // namespace

struct Metrics::Impl {
  // Written only by the constructor. The values behind the pointers are atomic or have their own locks.
  std::vector<std::vector<Series>> series;  // [metric][label value]; empty when this rank does not export the metric
  std::span<const std::string_view> interventions;
  prometheus::Registry registry;
  std::string why;
  std::mutex process_mutex;
  double cpu_seconds_seen = 0;         // guarded by process_mutex
  std::unique_ptr<HttpServer> server;  // last: its threads use all members above

  // All label values are created from the start, so that a counter exists with 0 before its first event.
  explicit Impl(const MetricsOptions& options) : interventions(options.interventions) {
    for (const MetricRow& row : Table()) {
      series.emplace_back();
      if ((row.scope == Scope::kJob && options.rank != 0) || !IsWanted(row, options)) continue;
      if (row.label.empty()) series.back().push_back(MakeSeries(registry, row, options, {}));
      for (const auto value : ValuesOf(row)) series.back().push_back(MakeSeries(registry, row, options, value));
    }
  }

  std::vector<prometheus::MetricFamily> Collect();

  std::span<const std::string_view> ValuesOf(const MetricRow& row) const {
    return row.metric == Metric::kInterventions ? interventions : row.label_values;
  }

  // Null when this rank does not export the metric.
  const Series* Find(Metric metric, std::string_view label_value) const {
    // prometheus-cpp would look for a child by a map of labels, under a lock. Here the row has a few dozen values at
    // most.
    const auto& all = series[Index(metric)];
    const MetricRow& row = Row(metric);
    const auto values = ValuesOf(row);
    const auto found = std::find(values.begin(), values.end(), label_value);
    const bool known = row.label.empty() ? label_value.empty() : found != values.end();
    // A release build has no assertions. There an unknown value is ignored: a metric must not end a training run.
    assert(known && "a label value that the metric's row does not list");
    if (!known || all.empty()) return nullptr;
    return &all[row.label.empty() ? 0 : static_cast<std::size_t>(found - values.begin())];
  }

  void RefreshProcess() {
    const ProcessReading reading = ReadProcess();
    series[Index(Metric::kProcessResidentMemory)][0].gauge->Set(reading.resident_memory_bytes);
    series[Index(Metric::kProcessOpenFds)][0].gauge->Set(reading.open_fds);
    const std::lock_guard lock(process_mutex);
    // A counter must not decrease, and two scrapes may read the process in another order than they arrive here.
    const double grown = std::max(0.0, reading.cpu_seconds - cpu_seconds_seen);
    series[Index(Metric::kProcessCpu)][0].counter->Increment(grown);
    cpu_seconds_seen += grown;
  }

  // A port in use must not end training, so the error is only stored.
  void Serve(const MetricsOptions& options, std::function<std::string()> text) {
    if (options.port < 0) {
      why = "the metrics endpoint is switched off";
      return;
    }
    try {
      // Ranks of one host would otherwise ask for the same port.
      const int port = options.port == 0 ? 0 : options.port + options.local_rank;
      server = std::make_unique<HttpServer>(options.address, port, options.credentials);
      server->Handle("/metrics", [text = std::move(text)] { return HttpResponse{200, kContentType, text()}; });
      server->Handle("/healthz", [] { return HttpResponse{.body = "ok\n"}; });
    } catch (const std::exception& error) {
      why = error.what();
    }
  }
};

// The server starts last, when all series exist.
Metrics::Metrics(const MetricsOptions& options) : impl_(std::make_unique<Impl>(options)) {
  Set(Metric::kBuildInfo, 1);
  Set(Metric::kProcessStartTime, UnixSeconds());
  impl_->Serve(options, [this] { return Text(); });
}

Metrics::~Metrics() = default;

void Metrics::Set(Metric metric, double value, std::string_view label_value) {
  assert(Row(metric).type == MetricType::kGauge);
  const Series* series = impl_->Find(metric, label_value);
  if (series != nullptr && series->gauge != nullptr) series->gauge->Set(value);
}

void Metrics::Add(Metric metric, double amount, std::string_view label_value) {
  assert(Row(metric).type == MetricType::kCounter);
  const Series* series = impl_->Find(metric, label_value);
  if (series != nullptr && series->counter != nullptr) series->counter->Increment(amount);
}

void Metrics::Observe(Metric metric, double value, std::string_view label_value) {
  assert(Row(metric).type == MetricType::kHistogram);
  const Series* series = impl_->Find(metric, label_value);
  if (series != nullptr && series->histogram != nullptr) series->histogram->Observe(value);
}

std::vector<prometheus::MetricFamily> Metrics::Impl::Collect() {
  RefreshProcess();
  auto families = registry.Collect();
  for (auto& family : families) DropSamplesWithoutValue(family);
  return families;
}

std::vector<MetricSample> Metrics::Samples() const {
  std::vector<MetricSample> samples;
  for (const auto& family : impl_->Collect()) {
    const auto row = std::find_if(Table().begin(), Table().end(),
                                  [&](const MetricRow& candidate) { return candidate.name == family.name; });
    for (const auto& metric : family.metric) samples.push_back(SampleOf(*row, metric));
  }
  return samples;
}

std::string Metrics::Text() const {
  const auto families = impl_->Collect();
  return prometheus::TextSerializer().prometheus::Serializer::Serialize(families);
}

bool Metrics::serving() const { return impl_->server != nullptr; }
const std::string& Metrics::why() const { return impl_->why; }
int Metrics::port() const { return serving() ? impl_->server->port() : 0; }
std::string Metrics::address() const { return serving() ? impl_->server->address() : std::string(); }
HttpServer* Metrics::server() { return impl_->server.get(); }

void WriteTargetsFile(const std::string& path, const std::vector<std::string>& targets,
                      const std::map<std::string, std::string>& labels) {
  const nlohmann::json groups = {{{"targets", targets}, {"labels", labels}}};
  storage::WriteFileAtomically(path, groups.dump(2) + "\n");
}

}  // namespace gan::monitoring
