#include "launcher/secrets.h"

#include <array>
#include <cstdlib>
#include <string_view>

#include <unistd.h>

#include "monitoring/push/alerts.h"
#include "storage/rank_board.h"

namespace gan::launch {

namespace {

struct SecretFlag {
  std::string_view flag;
  const char* variable;
};
constexpr std::array<SecretFlag, 3> kSecretFlags = {{{"--alert-webhook", monitoring::kWebhookVariable},
                                                     {"--alert-command", monitoring::kCommandVariable},
                                                     {"--otlp-endpoint", "OTEL_EXPORTER_OTLP_ENDPOINT"}}};

void Set(const char* variable, const std::string& value) {
  if (!value.empty()) ::setenv(variable, value.c_str(), /*overwrite=*/1);
}

// Removes "FLAG VALUE" and "FLAG=VALUE". Returns the last value.
std::string Take(std::vector<std::string>& program, std::string_view flag) {
  std::string value;
  for (auto next = program.begin(); next != program.end();) {
    if (*next == flag && std::next(next) != program.end()) {
      value = *std::next(next);
      next = program.erase(next, next + 2);
    } else if (next->starts_with(std::string(flag) + "=")) {
      value = next->substr(flag.size() + 1);
      next = program.erase(next);
    } else {
      ++next;
    }
  }
  return value;
}

}  // namespace

void MoveSecretsToEnvironment(LaunchOptions& options) {
  Set(monitoring::kWebhookVariable, options.alert_webhook);
  Set(monitoring::kCommandVariable, options.alert_command);
  // After the program's flags were read, so that they have priority. An empty value does not change a variable that the
  // user has exported.
  for (const auto& [flag, variable] : kSecretFlags) Set(variable, Take(options.program, flag));
}

// Besides its own variables, mpirun passes only these to a host that it reaches by ssh. The file of the rank board does
// not exist on that host, and the ranks notice that.
std::vector<std::string> PassedVariables() {
  std::vector<std::string> names;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text = *entry;
    const std::string name(text.substr(0, text.find('=')));
    if (name.starts_with("EQUIPOISE_ALERT_") || name.starts_with("OTEL_") ||
        name == storage::RankBoard::kBoardVariable) {
      names.push_back(name);
    }
  }
  return names;
}

}  // namespace gan::launch
