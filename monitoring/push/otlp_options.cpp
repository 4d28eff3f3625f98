#include "monitoring/push/otlp_options.h"

#include <algorithm>
#include <cstdlib>
#include <optional>
#include <sstream>
#include <string_view>

#include "monitoring/push/secrets.h"
#include "storage/errors.h"
#include "storage/lower.h"

namespace gan::monitoring {

namespace {

constexpr const char* kEndpoint = "OTEL_EXPORTER_OTLP_ENDPOINT";
constexpr std::uint64_t kLongestMilliseconds = 3'600'000;

std::string Variable(const std::string& name) {
  const char* value = std::getenv(name.c_str());
  return value == nullptr ? std::string() : value;
}

std::string Trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return "";
  return std::string(text.substr(first, text.find_last_not_of(" \t") - first + 1));
}

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  // Sets the bit in which ASCII's lower case differs from its upper case.
  const char lower = static_cast<char>(c | 0x20);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

// Empty when an escape is not valid.
std::optional<std::string> Decoded(const std::string& text) {
  std::string decoded;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      decoded += text[i];
      continue;
    }
    const int high = i + 2 < text.size() ? HexDigit(text[i + 1]) : -1;
    const int low = i + 2 < text.size() ? HexDigit(text[i + 2]) : -1;
    if (high < 0 || low < 0) return std::nullopt;
    decoded += static_cast<char>(16 * high + low);
    i += 2;
  }
  return decoded;
}

std::chrono::milliseconds Milliseconds(const std::string& variable, std::chrono::milliseconds otherwise) {
  const std::string text = Variable(variable);
  if (text.empty()) return otherwise;
  const bool is_number = text.size() < 10 && text.find_first_not_of("0123456789") == std::string::npos;
  const std::uint64_t value = is_number ? std::stoull(text) : 0;
  if (value == 0 || value > kLongestMilliseconds) {
    throw UsageError(variable + ": must be a number of milliseconds from 1 to " + std::to_string(kLongestMilliseconds));
  }
  return std::chrono::milliseconds(value);
}

// A line break in a header would begin another one.
std::vector<std::string> HeadersFrom(const std::string& variable) {
  std::vector<std::string> headers;
  for (const auto& [name, value] : ParseBaggage(Variable(variable), variable)) {
    const bool is_safe = std::none_of(value.begin(), value.end(), [](unsigned char c) { return c < ' ' || c == 0x7f; });
    const bool is_token = name.find_first_of(" :\r\n") == std::string::npos;
    if (!is_safe || !is_token) throw UsageError(variable + ": contains a header that HTTP does not allow");
    headers.push_back(name);
    headers.back().append(": ").append(value);
  }
  return headers;
}

// The headers for all signals, replaced by those for one signal. Two headers of one name would make servers refuse the
// request.
std::vector<std::string> HeadersOf(const std::string& signal) {
  std::vector<std::string> headers = HeadersFrom("OTEL_EXPORTER_OTLP_HEADERS");
  const std::vector<std::string> own = HeadersFrom("OTEL_EXPORTER_OTLP_" + signal + "_HEADERS");
  const auto name_of = [](const std::string& header) { return storage::Lower(header.substr(0, header.find(':'))); };
  std::erase_if(headers, [&](const std::string& header) {
    return std::any_of(own.begin(), own.end(),
                       [&](const std::string& other) { return name_of(other) == name_of(header); });
  });
  headers.insert(headers.end(), own.begin(), own.end());
  return headers;
}

// The path of the signal is appended to the general endpoint. The endpoint of a signal is used unchanged.
Destination DestinationOf(const std::string& base, const std::string& signal, const std::string& path) {
  Destination destination;
  const std::string own = "OTEL_EXPORTER_OTLP_" + signal + "_ENDPOINT";
  destination.url = Variable(own);
  if (!destination.url.empty()) {
    RequireHttpUrl(destination.url, own);
  } else if (!base.empty()) {
    destination.url = base;
    if (!base.ends_with('/')) destination.url += '/';
    destination.url += path;
  }
  destination.headers = HeadersOf(signal);
  destination.timeout = Milliseconds("OTEL_EXPORTER_OTLP_TIMEOUT", std::chrono::milliseconds(10'000));
  return destination;
}

}  // namespace

std::map<std::string, std::string> ParseBaggage(const std::string& text, const std::string& variable) {
  std::map<std::string, std::string> values;
  std::istringstream all(text);
  for (std::string entry; std::getline(all, entry, ',');) {
    if (Trimmed(entry).empty()) continue;
    const std::size_t equals = entry.find('=');
    const std::string name = equals == std::string::npos ? "" : Trimmed(entry.substr(0, equals));
    const auto value = name.empty() ? std::nullopt : Decoded(Trimmed(entry.substr(equals + 1)));
    if (!value) throw UsageError(variable + ": must look like name=value,name=value");
    values[name] = *value;
  }
  return values;
}

OtlpOptions ReadOtlpOptions(const std::string& endpoint, const std::string& service) {
  OtlpOptions options;
  if (storage::Lower(Variable("OTEL_SDK_DISABLED")) == "true") return options;  // OpenTelemetry's booleans ignore case
  const std::vector<std::string> lines = ReadSecret(endpoint, kEndpoint, "--otlp-endpoint");
  const std::string base = lines.empty() ? "" : lines.front();
  if (!base.empty()) RequireHttpUrl(base, "--otlp-endpoint");
  options.metrics = DestinationOf(base, "METRICS", "v1/metrics");
  options.logs = DestinationOf(base, "LOGS", "v1/logs");
  if (!options.any()) return options;
  const std::string protocol = Variable("OTEL_EXPORTER_OTLP_PROTOCOL");
  // Sending JSON to a server for gRPC or protobuf would lose everything, with an error per message.
  if (!protocol.empty() && protocol != "http/json") {
    throw UsageError(
        "OTEL_EXPORTER_OTLP_PROTOCOL: only http/json is supported; a collector's HTTP receiver accepts it");
  }
  options.interval = Milliseconds("OTEL_METRIC_EXPORT_INTERVAL", options.interval);
  options.resource = ParseBaggage(Variable("OTEL_RESOURCE_ATTRIBUTES"), "OTEL_RESOURCE_ATTRIBUTES");
  const std::string name = Variable("OTEL_SERVICE_NAME");
  if (!name.empty()) options.resource["service.name"] = name;
  // emplace keeps a name that is already there. The specification's order: OTEL_SERVICE_NAME, then the attribute, then
  // a default.
  options.resource.emplace("service.name", service);
  return options;
}

}  // namespace gan::monitoring
