// The one HTTP server of a process. The metrics endpoint uses it, and a live page can join it by one more Handle()
// (docs/decisions/0003-one-http-server.md).
#pragma once

#include <functional>
#include <memory>
#include <string>

namespace gan::monitoring {

struct HttpResponse {
  int status = 200;
  std::string content_type = "text/plain; charset=utf-8";
  std::string body;
};

// Called on the server's threads, several at a time. What it throws is answered with 500.
using HttpHandler = std::function<HttpResponse()>;

// Answers GET and HEAD of exact paths: 404 for any other path, 405 for any other method. No file is ever served.
// Thread-safe. The server's threads block every signal, so signals reach the threads that expect them.
class HttpServer {
 public:
  // Listens on return; `port` 0 takes any free one. Throws std::runtime_error saying why it cannot.
  HttpServer(const std::string& address, int port);
  ~HttpServer();  // waits for requests in flight
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  void Handle(const std::string& path, HttpHandler handler);
  int port() const;                    // the real one
  const std::string& address() const;  // "127.0.0.1:9400", "[::1]:9400"

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace gan::monitoring
