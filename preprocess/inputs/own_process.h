// A second process of this program that reads what may crash its reader.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <span>
#include <string>

namespace gan::preprocess {

// Sends and receives whole blocks over a socket; false when the other side is gone.
bool SendAll(int socket, std::span<const std::byte> data);
bool ReceiveAll(int socket, std::span<std::byte> data);

// Owns the process, which ends when its socket is closed. One thread at a time.
class OwnProcess {
 public:
  // The socket that the process finds open.
  static constexpr int kSocket = 3;

  // Starts this program with one argument. Throws std::runtime_error when it cannot be started.
  explicit OwnProcess(const char* argument);
  ~OwnProcess();
  OwnProcess(const OwnProcess&) = delete;
  OwnProcess& operator=(const OwnProcess&) = delete;

  int socket() const { return socket_; }
  // After a block did not come: ends the process. -> how it ended, "crashed (Segmentation fault)".
  std::string End();

 private:
  int Start(const char* argument, int its_socket);

  int socket_ = -1;
  pid_t process_ = -1;
};

}  // namespace gan::preprocess
