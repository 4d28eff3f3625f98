// Decides from strings alone who may send requests to the HTTP server.
#pragma once

#include <string>
#include <string_view>

namespace gan::monitoring {

// Whether only this machine can connect to `address`.
bool IsLoopback(std::string_view address);

// A server from its user's point of view: where it listens and where others reach it, the credentials that it requires,
// what it shows, and the flag that names a password file.
struct ServerAccess {
  std::string listens_on, reached_at, credentials, shows, password_flag;
};

// A warning that others can reach the server and it requires no password. Empty when they cannot or it does.
std::string OpenAccessWarning(const ServerAccess& server);

// The one line "user:password" of a password file. Throws UsageError naming the file when it is missing, empty, or has
// no colon or no password.
std::string ReadCredentials(const std::string& path);

// "127.0.0.1:9400", "[::1]:9400".
std::string Endpoint(const std::string& host, int port);

// The host under which others reach a server that listens on `address`: this machine's name when it listens on all
// addresses.
std::string ReachableHost(const std::string& address);

// The host in a Host header: "127.0.0.1:9400" -> "127.0.0.1", "[::1]:9400" -> "::1".
std::string_view HostOf(std::string_view header);

// Whether `host` is an IPv4 or IPv6 address or "localhost". A web site can make its own name resolve to this machine,
// but cannot use these.
bool IsAddress(std::string_view host);

}  // namespace gan::monitoring
