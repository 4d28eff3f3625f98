#include "monitoring/http_access.h"

#include <arpa/inet.h>

#include <array>

#include "storage/errors.h"
#include "storage/files.h"
#include "storage/host_name.h"
#include "storage/lower.h"

namespace gan::monitoring {

namespace {

// Names of hosts are the same in upper and lower case.
bool IsLocalhost(std::string_view host) { return storage::Lower(host) == "localhost"; }

}  // namespace

// The whole block 127.0.0.0/8 is loopback. A host name can begin with "127." as well, so the text must be an address.
bool IsLoopback(std::string_view address) {
  return IsLocalhost(address) || address == "::1" || (address.starts_with("127.") && IsAddress(address));
}

std::string OpenAccessWarning(const ServerAccess& server) {
  if (!server.credentials.empty() || IsLoopback(server.listens_on)) return "";
  return "everybody who can reach " + server.reached_at + " can see " + server.shows + "; " + server.password_flag +
         " requires a password";
}

std::string ReadCredentials(const std::string& path) {
  // Bounded, because the path may name a file of any size.
  constexpr std::uint64_t kMostBytes = 4096;
  std::string text;
  try {
    text = storage::ReadFile(path, kMostBytes);
  } catch (const std::exception& error) {
    throw UsageError("the password file cannot be read: " + std::string(error.what()));
  }
  // Editors add a newline at the end of the file; anything after the first line is ignored.
  text = text.substr(0, text.find_first_of("\r\n"));
  const std::size_t colon = text.find(':');
  if (colon == std::string::npos || colon == 0 || colon + 1 == text.size()) {
    throw UsageError("the password file " + path + " must hold one line: user:password");
  }
  return text;
}

std::string Endpoint(const std::string& host, int port) {
  // The colons of an IPv6 address need brackets to be distinguished from the port's.
  const bool ipv6 = host.find(':') != std::string::npos;
  return (ipv6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

// The address that means all interfaces is of no use to others.
std::string ReachableHost(const std::string& address) {
  if (address != "0.0.0.0" && address != "::" && !address.empty()) return address;
  return storage::HostName();
}

// Without the port; an IPv6 address is in brackets.
std::string_view HostOf(std::string_view header) {
  if (header.starts_with('['))
    return header.substr(1, header.find(']') == std::string_view::npos ? 0 : header.find(']') - 1);
  return header.substr(0, header.find(':'));
}

bool IsAddress(std::string_view host) {
  if (IsLocalhost(host)) return true;
  const std::string text(host);
  std::array<unsigned char, sizeof(in6_addr)> binary{};
  return inet_pton(AF_INET, text.c_str(), binary.data()) == 1 || inet_pton(AF_INET6, text.c_str(), binary.data()) == 1;
}

}  // namespace gan::monitoring
