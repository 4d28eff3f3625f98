// Reports the progress of a run to Kubeflow Trainer, which shows it as the status of the TrainJob that the run belongs
// to. The protocol: "TrainJob Progress and Training Metrics" of Kubeflow Trainer 2.2, an alpha feature of its
// controller.
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <mutex>
#include <optional>
#include <string>

#include <nlohmann/json.hpp>

#include "monitoring/push/http_sender.h"

namespace gan::monitoring {

// Variables that Kubeflow Trainer sets in the pods of a TrainJob when its feature gate TrainJobStatus is on.
inline constexpr const char* kTrainJobUrlVariable = "KUBEFLOW_TRAINER_SERVER_URL";
inline constexpr const char* kTrainJobCertificateVariable = "KUBEFLOW_TRAINER_SERVER_CA_CERT";
inline constexpr const char* kTrainJobTokenVariable = "KUBEFLOW_TRAINER_SERVER_TOKEN";

struct TrainJobServer {
  std::string url;
  std::filesystem::path certificate;  // of the authority that signed the server's certificate
  std::filesystem::path token;        // a file, because Kubernetes replaces the token every hour
};

// Reads the variables. Empty when none is set. Throws UsageError when some are missing or the address is not valid.
std::optional<TrainJobServer> ReadTrainJobServer();

// The message for the state of a run: progress in percent, seconds left, and the newest numbers, each as text, as the
// protocol requires. `status`: the content of status.json. `newest`: the newest line of stats.jsonl, or null. Members
// that are absent, null or of another type are left out.
nlohmann::json TrainJobMessage(const nlohmann::json& status, const nlohmann::json& newest);

// Reads the run folder in its own thread, at an interval and once at the end, and sends changes. It never delays or
// fails a run. Thread-safe.
class TrainJobReporter {
 public:
  // The controller asks for at least five seconds between two messages.
  static constexpr std::chrono::milliseconds kInterval{10'000};

  // `warn`: for the log; called on another thread.
  TrainJobReporter(TrainJobServer server, std::filesystem::path run, std::function<void(const std::string&)> warn,
                   std::chrono::milliseconds every = kInterval);

  // Sends the current state and waits until it is sent, at most for `patience`.
  void Flush(std::chrono::milliseconds patience);

 private:
  void Send();

  const TrainJobServer server_;
  const std::filesystem::path run_;
  const std::function<void(const std::string&)> warn_;
  std::mutex mutex_;   // guards last_
  std::string last_;   // the message that was sent last
  HttpSender sender_;  // last: its thread uses all members above
};

}  // namespace gan::monitoring
