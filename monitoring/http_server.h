// The one HTTP server of a process. The metrics endpoint uses it, and the live page joins it by a few more Handle()s
// (docs/decisions/0003-one-http-server.md).
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace gan::monitoring {

struct HttpResponse {
  int status = 200;
  std::string content_type = "text/plain; charset=utf-8";
  std::string body;
  std::string headers = {};  // more of them, each ending in CR LF
};

// Called on the server's threads, several at a time. What it throws is answered with 500.
using HttpHandler = std::function<HttpResponse()>;
// `rest` is what follows the prefix in the path, decoded. It comes from outside: look it up, never open it.
using HttpPrefixHandler = std::function<HttpResponse(std::string_view rest)>;

// Answers GET and HEAD of known paths: 404 for any other path, 405 for any other method, 401 without the right
// credentials. No file is ever served by its path. A server on loopback answers only to IP addresses and localhost as
// Host, so that no web page can reach it under a name of its own (DNS rebinding).
// Thread-safe. Connections that say nothing hold nobody up (monitoring/connections.h). The server's threads leave
// signals to the threads that expect them, and run at a low priority, so that they take no processor from the one who
// trains.
class HttpServer {
 public:
  // Listens on return; `port` 0 takes any free one. `credentials`: "user:password" that every path but /healthz then
  // asks for (HTTP basic authentication), or empty. Throws std::runtime_error saying why it cannot.
  HttpServer(const std::string& address, int port, const std::string& credentials = {});
  ~HttpServer();  // waits for requests in flight
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  void Handle(const std::string& path, HttpHandler handler);
  void HandleBelow(const std::string& prefix, HttpPrefixHandler handler);
  int port() const;  // the real one
  // Where others reach it: "127.0.0.1:9400", "[::1]:9400"; for one that listens everywhere this machine's name.
  const std::string& address() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace gan::monitoring
