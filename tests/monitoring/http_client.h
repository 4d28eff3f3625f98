// A minimal HTTP client for tests: one request, one connection, everything until the server closes.
#pragma once

#include <cstddef>
#include <string>

namespace gan::monitoring {

// A connection that is open as long as the object lives.
class OpenConnection {
 public:
  OpenConnection(int port, const std::string& first_bytes);  // throws std::runtime_error when nobody listens
  ~OpenConnection();
  OpenConnection(OpenConnection&& other) noexcept;
  OpenConnection(const OpenConnection&) = delete;
  OpenConnection& operator=(const OpenConnection&) = delete;

  void Send(const std::string& bytes) const;
  std::string Receive(std::size_t bytes) const;  // fewer when the server closes
  std::string Rest() const;                      // everything until the server closes

 private:
  int descriptor_;
};

// Throws std::runtime_error when nobody listens on 127.0.0.1:port.
std::string Exchange(int port, const std::string& request);
// "GET /metrics HTTP/1.1" and so on; returns status line, headers and body.
std::string Request(int port, const std::string& method, const std::string& path);
std::string Body(const std::string& response);

}  // namespace gan::monitoring
