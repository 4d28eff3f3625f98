#include "tests/monitoring/http_client.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <stdexcept>
#include <utility>

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

OpenConnection::OpenConnection(int port, const std::string& first_bytes) : descriptor_(Connect(port)) {
  Send(first_bytes);
}

OpenConnection::~OpenConnection() {
  if (descriptor_ >= 0) close(descriptor_);
}

OpenConnection::OpenConnection(OpenConnection&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}

void OpenConnection::Send(const std::string& bytes) const {
  [[maybe_unused]] const ssize_t sent = send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
}

std::string OpenConnection::Receive(std::size_t bytes) const {
  std::string received(bytes, '\0');
  const ssize_t got = recv(descriptor_, received.data(), bytes, MSG_WAITALL);
  received.resize(got < 0 ? 0 : static_cast<std::size_t>(got));
  return received;
}

std::string OpenConnection::Rest() const {
  std::string response;
  std::array<char, 4096> buffer{};
  ssize_t got = 0;
  while ((got = recv(descriptor_, buffer.data(), buffer.size(), 0)) > 0) {
    response.append(buffer.data(), static_cast<std::size_t>(got));
  }
  return response;
}

std::string Exchange(int port, const std::string& request) { return OpenConnection(port, request).Rest(); }

std::string Request(int port, const std::string& method, const std::string& path) {
  return Exchange(port, method + " " + path + " HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n");
}

std::string Body(const std::string& response) {
  const std::size_t end = response.find("\r\n\r\n");
  return end == std::string::npos ? std::string() : response.substr(end + 4);
}

}  // namespace gan::monitoring
