#include "cli/flags.h"

#include <charconv>
#include <cstdint>
#include <optional>
#include <set>
#include <string_view>

namespace gan::cli {

namespace {

// The prefix of the headings marks the groups that only --help-all shows.
constexpr std::string_view kRare = "Rarely needed: ";
// MetricsOptions treats a negative port as "no server".
constexpr int kOff = -1;

// from_chars rejects signs, spaces and numbers beyond 65535.
std::optional<int> ReadPort(const std::string& text) {
  if (text == "off") return kOff;
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return port;
}

std::set<std::string>& SecretNames() {
  static std::set<std::string> names;
  return names;
}

void Blank(char* text) {
  // The length stays, because the kernel shows the memory from the first argument to the last unchanged.
  for (; *text != '\0'; ++text) *text = '*';
}

std::string NotAPort(const std::string& text) { return "\"" + text + "\" is neither a port, 0 nor off"; }

}  // namespace

std::string RareGroup(const std::string& what) { return std::string(kRare) + what; }

bool IsRare(const std::string& group) { return group.starts_with(kRare); }

// CLI11 does not print options without a group.
void Hide(CLI::Option* option) { option->group(""); }

CLI::Option* MarkSecret(CLI::Option* option) {
  SecretNames().insert(option->get_name());
  return option;
}

bool IsSecret(const std::string& name) { return SecretNames().contains(name); }

// The kernel shows the memory of argv itself, so it must be overwritten in place.
// Every user of a machine can read /proc/PID/cmdline, and webhooks' addresses contain their key.
void HideSecrets(int argc, char** argv) {
  for (int i = 1; i < argc; ++i) {
    const std::string argument = argv[i];
    const std::size_t equals = argument.find('=');
    if (equals != std::string::npos && IsSecret(argument.substr(0, equals))) {
      Blank(argv[i] + equals + 1);
    } else if (IsSecret(argument) && i + 1 < argc) {
      Blank(argv[++i]);
    }
  }
}

void AddMetricsFlags(const AddText& add, MetricsFlags flags) {
  // Checked while parsing, so that --help shows the right error before any work begins.
  const auto check = [](const std::string& text) { return ReadPort(text) ? std::string() : NotAPort(text); };
  add("--metrics-port", flags.port,
      "Base port of the metrics server: local rank r uses PORT + r. 0 picks a free port; off disables the server.")
      ->check(CLI::Validator(check, ""))
      ->type_name("PORT");
  AddAddressFlags(add, "--metrics-", flags.address, flags.password_file);
}

void AddAddressFlags(const AddText& add, const std::string& prefix, std::string& address, std::string& password_file) {
  add(prefix + "address", address, "Address that the server listens on.")->type_name("ADDRESS");
  add(prefix + "password-file", password_file,
      "Require the user name and password in this file, one line of the form user:password.")
      ->type_name("FILE");
}

int MetricsPort(const std::string& text) {
  const std::optional<int> port = ReadPort(text);
  if (!port) throw UsageError("--metrics-port: " + NotAPort(text));
  return *port;
}

}  // namespace gan::cli
