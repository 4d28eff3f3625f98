// The only HTTP server of a process. The metrics endpoint creates it, and the live page adds its paths with Handle()
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
  std::string headers = {};  // additional headers, each ending in CR LF
};

// Called on several server threads at once. An exception is answered with status 500.
using HttpHandler = std::function<HttpResponse()>;
// `rest` is the decoded part of the path after the prefix. It comes from the client: look it up in a table, never open
// it as a file.
using HttpPrefixHandler = std::function<HttpResponse(std::string_view rest)>;

// Answers GET and HEAD of known paths: 404 for any other path, 405 for any other method, 401 without the right
// credentials. No file is ever served by its path. A server on loopback answers only to IP addresses and localhost as
// Host, so that no web page can reach it under a name of its own (DNS rebinding).
// Thread-safe. A client that sends nothing does not delay others (monitoring/connections.h). The server's threads block
// signals and run at a low priority, so that they do not slow training.
class HttpServer {
 public:
  // Listens when the constructor returns; `port` 0 picks a free port. `credentials`: "user:password", required for
  // every path but /healthz (HTTP basic authentication); empty: none required. Throws std::runtime_error with the
  // reason when it cannot listen.
  HttpServer(const std::string& address, int port, const std::string& credentials = {});
  ~HttpServer();  // waits until all current requests are answered
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  void Handle(const std::string& path, HttpHandler handler);
  void HandleBelow(const std::string& prefix, HttpPrefixHandler handler);
  int port() const;  // the actual port
  // Where others reach the server: "127.0.0.1:9400", "[::1]:9400"; with this machine's name when it listens on all
  // addresses.
  const std::string& address() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace gan::monitoring
