#include "monitoring/push/train_job.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <utility>

#include "storage/errors.h"
#include "storage/files.h"

namespace gan::monitoring {

namespace fs = std::filesystem;
using nlohmann::json;

namespace {

// Names of stats.jsonl, which users know. The status has space for a few only.
constexpr const char* kNumbers[] = {
    "step", "images", "loss_d", "loss_g", "d_auc", "imbalance", "images_per_second", "quality_swd", "quality_frechet"};
// More than the length of any line. A longer line would be read only partly, which is not JSON, and would be ignored.
constexpr std::streamoff kLongestLine = 1 << 16;

std::string Variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

bool IsNumber(const json& object, const char* name) {
  return object.is_object() && object.contains(name) && object[name].is_number() &&
         std::isfinite(object[name].get<double>());
}

std::string Rfc3339(double unix_seconds) {
  const auto seconds = static_cast<std::time_t>(unix_seconds);
  std::tm utc{};
  ::gmtime_r(&seconds, &utc);
  char text[32];
  std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &utc);
  return text;
}

// The newest complete line of stats.jsonl, or null. The file may be gigabytes long, and its last line may be
// incomplete.
json NewestLine(const fs::path& path) {
  std::ifstream file(path, std::ios::binary | std::ios::ate);
  const std::streamoff size = file ? static_cast<std::streamoff>(file.tellg()) : 0;
  std::string tail(static_cast<std::size_t>(std::min(size, kLongestLine)), '\0');
  file.seekg(size - static_cast<std::streamoff>(tail.size()));
  if (tail.empty() || !file.read(tail.data(), static_cast<std::streamsize>(tail.size()))) return nullptr;
  // The text after the last line break is still being written.
  tail.erase(tail.rfind('\n') == std::string::npos ? 0 : tail.rfind('\n'));
  const std::size_t before = tail.rfind('\n');
  json line =
      json::parse(before == std::string::npos ? tail : tail.substr(before + 1), nullptr, /*allow_exceptions=*/false);
  return line.is_object() ? line : json();
}

// Throws IoError, or DataError when the file has no token that can be sent in a header. A line break in the token would
// begin another header.
std::string Token(const fs::path& path) {
  std::string token = storage::ReadFile(path);
  while (!token.empty() && (token.back() == '\n' || token.back() == '\r' || token.back() == ' ')) token.pop_back();
  const bool fits =
      !token.empty() && std::all_of(token.begin(), token.end(), [](char c) { return c > ' ' && c < 0x7f; });
  if (!fits) throw DataError(path, "holds no token");
  return token;
}

}  // namespace

std::optional<TrainJobServer> ReadTrainJobServer() {
  TrainJobServer server{Variable(kTrainJobUrlVariable), Variable(kTrainJobCertificateVariable),
                        Variable(kTrainJobTokenVariable)};
  if (server.url.empty() && server.certificate.empty() && server.token.empty()) return std::nullopt;
  if (server.url.empty() || server.certificate.empty() || server.token.empty()) {
    throw UsageError(std::string("of ") + kTrainJobUrlVariable + ", " + kTrainJobCertificateVariable + " and " +
                     kTrainJobTokenVariable + " some are set and some are not");
  }
  RequireHttpUrl(server.url, kTrainJobUrlVariable);
  return server;
}

json TrainJobMessage(const json& status, const json& newest) {
  json inner = json::object();
  if (IsNumber(status, "fraction_done")) {
    inner["progressPercentage"] = static_cast<int>(100 * std::clamp(status["fraction_done"].get<double>(), 0.0, 1.0));
  }
  if (IsNumber(status, "seconds_left")) {
    inner["estimatedRemainingSeconds"] =
        static_cast<std::int64_t>(std::clamp(std::ceil(status["seconds_left"].get<double>()), 0.0, 1e9));
  }
  json metrics = json::array();
  for (const char* name : kNumbers) {
    if (IsNumber(newest, name)) metrics.push_back({{"name", name}, {"value", newest[name].dump()}});
  }
  if (newest.is_object() && newest.contains("verdict") && newest["verdict"].is_string()) {
    metrics.push_back({{"name", "verdict"}, {"value", newest["verdict"]}});
  }
  inner["metrics"] = std::move(metrics);
  inner["lastUpdatedTime"] = Rfc3339(IsNumber(status, "unix_seconds") ? status["unix_seconds"].get<double>()
                                                                      : static_cast<double>(std::time(nullptr)));
  return {{"trainerStatus", std::move(inner)}};
}

TrainJobReporter::TrainJobReporter(TrainJobServer server, fs::path run, std::function<void(const std::string&)> warn,
                                   std::chrono::milliseconds every)
    : server_(std::move(server)),
      run_(std::move(run)),
      warn_(std::move(warn)),
      // An older message is of no use once there is a newer one.
      sender_({.what = "update of the TrainJob's status", .most_waiting = 1, .attempts = 2, .warn = warn_}) {
  sender_.Start(every, [this] { Send(); });
}

void TrainJobReporter::Flush(std::chrono::milliseconds patience) {
  Send();
  sender_.Flush(patience);
}

// The token is read for each message, because Kubernetes replaces it. The message is remembered as sent when it is
// queued: if it is lost, the next change sends the state anyway.
void TrainJobReporter::Send() {
  const std::lock_guard lock(mutex_);
  try {
    const std::string text = storage::ReadFile(run_ / "status.json");
    const json status = json::parse(text, nullptr, /*allow_exceptions=*/false);
    if (!status.is_object()) return;
    std::string message = TrainJobMessage(status, NewestLine(run_ / "stats.jsonl")).dump();
    if (message == last_) return;
    auto destination =
        std::make_shared<Destination>(Destination{.url = server_.url,
                                                  .headers = {"Authorization: Bearer " + Token(server_.token)},
                                                  .certificate = server_.certificate.string()});
    sender_.Send(std::move(destination), [message] { return message; });
    last_ = std::move(message);
  } catch (const std::exception& error) {
    // Before its first step a run has no status.json.
    if (fs::exists(run_ / "status.json")) warn_(std::string(error.what()) + "; the TrainJob's status is not updated");
  }
}

}  // namespace gan::monitoring
