#include "tests/monitoring/http_client.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <stdexcept>

namespace gan::monitoring {
namespace {

int Connect(int port) {
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(static_cast<std::uint16_t>(port));
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const int connection = socket(AF_INET, SOCK_STREAM, 0);
  if (connect(connection, reinterpret_cast<sockaddr*>(&to), sizeof to) == 0) return connection;
  close(connection);
  throw std::runtime_error("nobody listens on port " + std::to_string(port));
}

}  // namespace

std::string Exchange(int port, const std::string& request) {
  const int connection = Connect(port);
  std::string response;
  std::array<char, 4096> buffer{};
  if (send(connection, request.data(), request.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(request.size())) {
    ssize_t got = 0;
    while ((got = recv(connection, buffer.data(), buffer.size(), 0)) > 0) {
      response.append(buffer.data(), static_cast<std::size_t>(got));
    }
  }
  close(connection);
  return response;
}

std::string Request(int port, const std::string& method, const std::string& path) {
  return Exchange(port, method + " " + path + " HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n");
}

std::string Body(const std::string& response) {
  const std::size_t end = response.find("\r\n\r\n");
  return end == std::string::npos ? std::string() : response.substr(end + 4);
}

}  // namespace gan::monitoring
