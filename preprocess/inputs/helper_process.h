// A second process of this program for work that may crash or hang. A crash then costs the current piece of work, not
// the run.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <span>
#include <string>

namespace gan::preprocess {

// Sends and receives whole blocks over a socket. False when the other side has ended.
bool SendAll(int socket, std::span<const std::byte> data);
bool ReceiveAll(int socket, std::span<std::byte> data);

// The bytes of a number or of a plain structure. Both sides read them without conversion, because they are the same
// program.
template <typename Plain>
std::span<const std::byte> BytesOf(const Plain& plain) {
  return std::as_bytes(std::span(&plain, 1));
}
template <typename Plain>
std::span<std::byte> WritableBytesOf(Plain& plain) {
  return std::as_writable_bytes(std::span(&plain, 1));
}

// Owns the process, which ends when its socket is closed. One thread at a time.
class HelperProcess {
 public:
  // The descriptor under which the helper process finds its end of the socket.
  static constexpr int kSocket = 3;
  // How often such work is tried before the run ends.
  static constexpr int kTries = 3;

  struct Options {
    const char* argument;   // by which main() recognises the helper
    const char* name;       // in errors: "the decoding process"
    int most_seconds;       // longest time that a block may take to arrive
    bool keeps_its_errors;  // false: its output on standard error is dropped
  };
  // Starts this program. Throws std::runtime_error when it cannot be started.
  explicit HelperProcess(const Options& options);
  ~HelperProcess();
  HelperProcess(const HelperProcess&) = delete;
  HelperProcess& operator=(const HelperProcess&) = delete;

  int socket() const { return socket_; }

  // The end of the process: by a signal (0: by none), or not within two seconds, so that it was killed.
  struct Ended {
    bool was_slow = false;
    int signal = 0;

    // Whether others have ended it, for example the kernel or a daemon when memory ran out. Then its work need not be
    // at fault, and is worth another try.
    bool WasKilled() const;
  };
  // Call it once, after a block has not arrived.
  Ended End();

 private:
  int Start(const Options& options, int its_socket);

  int socket_ = -1;
  pid_t process_ = -1;
};

}  // namespace gan::preprocess
