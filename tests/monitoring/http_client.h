// A minimal HTTP client for tests: one request, one connection, everything until the server closes.
#pragma once

#include <string>

namespace gan::monitoring {

// Throws std::runtime_error when nobody listens on 127.0.0.1:port.
std::string Exchange(int port, const std::string& request);
// "GET /metrics HTTP/1.1" and so on; returns status line, headers and body.
std::string Request(int port, const std::string& method, const std::string& path);
std::string Body(const std::string& response);

}  // namespace gan::monitoring
