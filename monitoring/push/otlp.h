// Pushes the metrics of a process as OTLP, beside the endpoint that Prometheus reads.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "monitoring/metrics.h"
#include "monitoring/push/otlp_json.h"
#include "monitoring/push/otlp_options.h"

namespace gan::monitoring {

// Thread-safe. Metrics are read and encoded on the sender's thread, at the interval of the options and once at the end.
// Nothing here waits for the endpoint.
class Otlp {
 public:
  // `metrics` must outlive this object. `warn`: for the log; called on another thread.
  Otlp(OtlpOptions options, const Metrics& metrics, std::function<void(const std::string&)> warn);

  void Log(LogEvent event);
  // Sends the current metrics and waits until everything is sent, at most for `patience`.
  void Flush(std::chrono::milliseconds patience);
  // Reads the metrics now. The message is sent after those that already wait.
  void PushNow();

  std::uint64_t lost() const { return sender_.lost(); }

 private:
  void Refused(const std::string& answer);

  const OtlpOptions options_;
  const Metrics& metrics_;
  const std::function<void(const std::string&)> warn_;
  const std::shared_ptr<const Destination> to_metrics_, to_logs_;
  const std::uint64_t start_;  // Unix nanoseconds
  std::atomic<bool> refused_{false};
  HttpSender sender_;  // last: its thread uses all members above
};

std::uint64_t UnixNanoseconds();

}  // namespace gan::monitoring
