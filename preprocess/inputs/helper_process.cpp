#include "preprocess/inputs/helper_process.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <stdexcept>
#include <utility>

namespace gan::preprocess {

namespace {

[[noreturn]] void Fail(const char* name, const char* what, int error) {
  throw std::runtime_error(std::string(name) + ": " + what + ": " + std::strerror(error));
}

}  // namespace

bool SendAll(int socket, std::span<const std::byte> data) {
  while (!data.empty()) {
    // MSG_NOSIGNAL: after a crash of the helper, SIGPIPE must not end this process.
    const ssize_t n = ::send(socket, data.data(), data.size(), MSG_NOSIGNAL);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    data = data.subspan(static_cast<std::size_t>(n));
  }
  return true;
}

bool ReceiveAll(int socket, std::span<std::byte> data) {
  while (!data.empty()) {
    const ssize_t n = ::recv(socket, data.data(), data.size(), 0);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    data = data.subspan(static_cast<std::size_t>(n));
  }
  return true;
}

HelperProcess::HelperProcess(const Options& options) {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) Fail(options.name, "socketpair", errno);
  socket_ = ends[0];
  // A helper that hangs makes recv() fail, which its owner treats like a crash.
  const timeval patience = {.tv_sec = options.most_seconds, .tv_usec = 0};
  ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  const int error = Start(options, ends[1]);
  ::close(ends[1]);
  if (error == 0) return;
  ::close(socket_);
  Fail(options.name, "start", error);
}

HelperProcess::~HelperProcess() {
  if (socket_ >= 0) ::close(socket_);  // the helper then ends by itself
  if (process_ > 0) ::waitpid(process_, nullptr, 0);
}

int HelperProcess::Start(const Options& options, int its_socket) {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, its_socket, kSocket);  // without close-on-exec
  if (!options.keeps_its_errors) {
    posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
  }
  std::array<char*, 3> arguments = {const_cast<char*>("gan-preprocess"), const_cast<char*>(options.argument), nullptr};
  // posix_spawn, because fork() in a program with threads would copy the locks that they hold. /proc/self/exe also
  // works when the program's file has been renamed.
  const int error = ::posix_spawn(&process_, "/proc/self/exe", &actions, nullptr, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  return error;
}

// A process never gets these signals by its own fault.
bool HelperProcess::Ended::WasKilled() const {
  constexpr std::array kSent = {SIGKILL, SIGTERM, SIGINT, SIGHUP, SIGQUIT};
  return std::find(kSent.begin(), kSent.end(), signal) != kSent.end();
}

HelperProcess::Ended HelperProcess::End() {
  ::close(std::exchange(socket_, -1));
  int status = 0;
  pid_t ended = 0;
  // A crash closes the socket before the process is gone.
  for (int i = 0; i < 200 && ended == 0; ++i) {
    ended = ::waitpid(process_, &status, WNOHANG);
    if (ended == 0) ::usleep(10'000);
  }
  const bool was_slow = ended == 0;
  if (was_slow) {
    ::kill(process_, SIGKILL);
    ::waitpid(process_, &status, 0);
  }
  process_ = -1;
  return {was_slow, !was_slow && WIFSIGNALED(status) ? WTERMSIG(status) : 0};
}

}  // namespace gan::preprocess
