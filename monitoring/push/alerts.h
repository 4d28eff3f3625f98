// Reports events of a run to people: as JSON to a webhook, to a command, or both.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include "monitoring/push/http_sender.h"
#include "monitoring/push/work_queue.h"

namespace gan::monitoring {

// Both are secret. Empty: not used.
struct AlertTargets {
  Destination webhook;
  std::string command;  // for /bin/sh
  bool any() const { return !webhook.url.empty() || !command.empty(); }
};

inline constexpr const char* kWebhookVariable = "EQUIPOISE_ALERT_WEBHOOK";
inline constexpr const char* kCommandVariable = "EQUIPOISE_ALERT_COMMAND";

// Resolves the values of --alert-webhook and --alert-command (secrets.h); in a file the lines after the URL are
// headers. Throws UsageError, which contains no part of the values.
AlertTargets ReadAlertTargets(const std::string& webhook, const std::string& command);

enum class Severity { kInfo, kWarning, kCritical };

struct Alert {
  std::string event;  // "verdict", "intervention", "diverged", "stalled", "rank_failed", "finished", …
  Severity severity = Severity::kWarning;
  std::string text = {};                              // one sentence
  nlohmann::json details = nlohmann::json::object();  // further members of the message: step, images, verdict, …
  bool is_last = false;  // the run ends with this alert, so it is sent whatever was sent before
};

// At most `burst` alerts at once, and one more per interval. Further ones are counted; the next alert contains their
// number.
struct AlertRate {
  std::uint32_t burst = 6;
  std::chrono::milliseconds interval{60'000};
};

// A message is one JSON object: "event", "severity", "text", "run", "folder", "grid" (the newest one in the folder, or
// null), "host", "unix_seconds", "suppressed" and the details. Thread-safe. Nothing here waits for a target.
class Alerts {
 public:
  // `warn`: for the log; called on other threads.
  Alerts(const AlertTargets& targets, std::filesystem::path run, std::function<void(const std::string&)> warn,
         AlertRate rate = {});

  void Raise(Alert alert);
  // Waits until everything is sent, at most for `patience`, for the end of a process.
  void Flush(std::chrono::milliseconds patience);

 private:
  bool MayPass();
  void Run(const std::string& message);

  const std::filesystem::path run_;
  const std::string command_;
  const std::shared_ptr<const Destination> webhook_;
  const std::function<void(const std::string&)> warn_;
  const AlertRate rate_;
  std::mutex mutex_;  // guards all members below
  double tokens_;
  std::chrono::steady_clock::time_point filled_ = std::chrono::steady_clock::now();
  std::uint64_t suppressed_ = 0;
  std::optional<HttpSender> sender_;   // when there is a webhook
  std::optional<WorkQueue> commands_;  // when there is a command
};

std::string_view Name(Severity severity);  // "info", "warning", "critical"

}  // namespace gan::monitoring
