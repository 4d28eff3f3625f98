#include "monitoring/push/otlp.h"

#include <utility>

#include "storage/counted.h"

namespace gan::monitoring {

std::uint64_t UnixNanoseconds() {
  return static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::system_clock::now().time_since_epoch())
          .count());
}

// An unreachable endpoint loses no message for some time: a message is tried until newer ones need its place.
Otlp::Otlp(OtlpOptions options, const Metrics& metrics, std::function<void(const std::string&)> warn)
    : options_(std::move(options)),
      metrics_(metrics),
      warn_(std::move(warn)),
      to_metrics_(std::make_shared<const Destination>(options_.metrics)),
      to_logs_(std::make_shared<const Destination>(options_.logs)),
      start_(UnixNanoseconds()),
      sender_({.what = "OTLP message", .most_waiting = 256, .attempts = 0, .warn = warn_}) {
  sender_.Start(options_.interval, [this] { PushNow(); });
}

void Otlp::PushNow() {
  if (options_.metrics.url.empty()) return;
  // Metrics are read now and not when they are sent: a message that waited must carry the values and the time of its
  // interval.
  std::string body = MetricsRequest(options_.resource, metrics_.Samples(), start_, UnixNanoseconds());
  sender_.Send(
      to_metrics_, [body = std::move(body)] { return body; }, [this](const std::string& answer) { Refused(answer); });
}

void Otlp::Log(LogEvent event) {
  if (options_.logs.url.empty()) return;
  if (event.unix_nanoseconds == 0) event.unix_nanoseconds = UnixNanoseconds();
  sender_.Send(
      to_logs_, [resource = options_.resource, event = std::move(event)] { return LogsRequest(resource, {event}); },
      [this](const std::string& answer) { Refused(answer); });
}

// Sending again would not help, so it is only reported, once.
void Otlp::Refused(const std::string& answer) {
  const std::uint64_t refused = RefusedIn(answer);
  if (refused == 0 || refused_.exchange(true) || !warn_) return;
  warn_("the OTLP endpoint refused " + storage::Counted(refused, "point") + " of a message; training continues");
}

void Otlp::Flush(std::chrono::milliseconds patience) {
  PushNow();
  sender_.Flush(patience);
}

}  // namespace gan::monitoring
