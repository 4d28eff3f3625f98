#include "monitoring/push/alerts.h"

#include <algorithm>
#include <array>
#include <utility>

#include "monitoring/push/command.h"
#include "monitoring/push/secrets.h"
#include "storage/errors.h"
#include "storage/folder_name.h"
#include "storage/host_name.h"

namespace gan::monitoring {

namespace fs = std::filesystem;
using std::chrono::steady_clock;

namespace {

constexpr std::size_t kMostWaiting = 64;
constexpr std::chrono::seconds kCommandTimeout{30};

// The names of grids have eight digits or more, so a longer name is a later one.
nlohmann::json NewestGrid(const fs::path& run) {
  std::string newest;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(run, error)) {
    const std::string name = entry.path().filename().string();
    if (!name.starts_with("fakes-") || !name.ends_with(".png")) continue;
    if (std::pair(name.size(), name) > std::pair(newest.size(), newest)) newest = name;
  }
  return newest.empty() ? nlohmann::json() : nlohmann::json((fs::absolute(run) / newest).string());
}

// Details come first, so that they cannot replace a member that every message has. Their texts may come from files, so
// bytes that are not UTF-8 are replaced instead of causing an exception.
std::string MessageOf(const Alert& alert, const fs::path& run, double unix_seconds, std::uint64_t suppressed) {
  nlohmann::json message = alert.details;
  message.update({{"event", alert.event},
                  {"severity", Name(alert.severity)},
                  {"text", alert.text},
                  {"run", storage::NameOfFolder(run)},
                  {"folder", fs::absolute(run).string()},
                  {"grid", NewestGrid(run)},
                  {"host", storage::HostName()},
                  {"unix_seconds", unix_seconds},
                  {"suppressed", suppressed}});
  return message.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

double UnixSeconds() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

}  // namespace

std::string_view Name(Severity severity) {
  constexpr std::array<std::string_view, 3> kNames = {"info", "warning", "critical"};
  return kNames[static_cast<std::size_t>(severity)];
}

AlertTargets ReadAlertTargets(const std::string& webhook, const std::string& command) {
  AlertTargets targets;
  std::vector<std::string> lines = ReadSecret(webhook, kWebhookVariable, "--alert-webhook");
  if (!lines.empty()) {
    RequireHttpUrl(lines.front(), "--alert-webhook");
    targets.webhook.url = lines.front();
    targets.webhook.headers.assign(std::next(lines.begin()), lines.end());
  }
  for (const std::string& line : ReadSecret(command, kCommandVariable, "--alert-command")) {
    targets.command += (targets.command.empty() ? "" : "\n") + line;
  }
  return targets;
}

Alerts::Alerts(const AlertTargets& targets, fs::path run, std::function<void(const std::string&)> warn, AlertRate rate)
    : run_(std::move(run)),
      command_(targets.command),
      webhook_(std::make_shared<const Destination>(targets.webhook)),
      warn_(std::move(warn)),
      rate_(rate),
      tokens_(rate.burst) {
  // Two queues, so that a command that hangs does not delay the webhook, and the reverse.
  if (!webhook_->url.empty()) {
    sender_.emplace(SenderOptions{.what = "alert", .most_waiting = kMostWaiting, .warn = warn_});
    sender_->Start();
  }
  if (!command_.empty()) {
    commands_.emplace(kMostWaiting);
    commands_->Start();
  }
}

// A bucket of tokens that fills slowly. A verdict that flips at every step would otherwise send a message per step.
bool Alerts::MayPass() {
  const auto now = steady_clock::now();
  const double intervals = std::chrono::duration<double>(now - filled_) / rate_.interval;
  filled_ = now;
  tokens_ = std::min<double>(rate_.burst, tokens_ + intervals);
  if (tokens_ < 1) return false;
  tokens_ -= 1;
  return true;
}

// The message is made on the sender's thread, because looking for the newest grid reads a folder.
void Alerts::Raise(Alert alert) {
  const double now = UnixSeconds();
  std::uint64_t suppressed = 0;
  {
    const std::lock_guard lock(mutex_);
    if (!MayPass() && !alert.is_last) {
      ++suppressed_;
      return;
    }
    suppressed = std::exchange(suppressed_, 0);
  }
  const auto message = [alert = std::move(alert), run = run_, now, suppressed] {
    return MessageOf(alert, run, now, suppressed);
  };
  if (sender_) sender_->Send(webhook_, message);
  if (commands_) commands_->Push([this, message] { Run(message()); });
}

void Alerts::Run(const std::string& message) {
  const std::string why =
      RunAlertCommand(command_, message, kCommandTimeout, [this] { return commands_->is_stopping(); });
  if (!why.empty() && warn_) warn_("the command of --alert-command failed: " + why + "; training continues");
}

void Alerts::Flush(std::chrono::milliseconds patience) {
  const auto end = steady_clock::now() + patience;
  const auto left = [&] {
    return std::max(std::chrono::duration_cast<std::chrono::milliseconds>(end - steady_clock::now()),
                    std::chrono::milliseconds(0));
  };
  if (sender_) sender_->Flush(left());
  if (commands_) commands_->Drain(left());
}

}  // namespace gan::monitoring
