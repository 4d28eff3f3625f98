#include "preprocess/decode/opencv_worker.h"

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
#include <cstdlib>
#include <cstring>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "preprocess/image/rejected.h"

namespace gan::preprocess {

namespace {

constexpr const char* kWorkerArgument = "--decode-for-parent";
constexpr int kSocket = 3;  // of the worker
constexpr int kMostSeconds = 120;
constexpr std::uint64_t kMostTextBytes = 4096;

bool can_be_worker = false;  // set before any thread is started

// One program on both sides: numbers go as they are.
struct Request {
  std::uint64_t bytes = 0;
  std::uint64_t max_pixels = 0;
};
struct Answer {
  int result = 0;  // GanOpenCvResult; -1: rejected before, `width` bytes of text follow
  std::uint32_t width = 0, height = 0;
};

// False when the other side is gone.
bool Send(int socket, const void* data, std::size_t bytes) {
  const auto* at = static_cast<const std::byte*>(data);
  while (bytes > 0) {
    const ssize_t n = ::send(socket, at, bytes, MSG_NOSIGNAL);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    at += n;
    bytes -= static_cast<std::size_t>(n);
  }
  return true;
}

bool Receive(int socket, void* data, std::size_t bytes) {
  auto* at = static_cast<std::byte*>(data);
  while (bytes > 0) {
    const ssize_t n = ::recv(socket, at, bytes, 0);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    at += n;
    bytes -= static_cast<std::size_t>(n);
  }
  return true;
}

bool ServeOne() {
  Request request;
  if (!Receive(kSocket, &request, sizeof request)) return false;
  std::vector<std::byte> file(request.bytes);
  if (!Receive(kSocket, file.data(), file.size())) return false;
  try {
    const OpenCvReply reply = DecodeWithOpenCvHere(file, request.max_pixels);
    const Answer answer = {reply.result, reply.width, reply.height};
    return Send(kSocket, &answer, sizeof answer) && Send(kSocket, reply.rgba.data(), reply.rgba.size());
  } catch (const Rejected& rejected) {
    const std::string text = std::string(rejected.what()).substr(0, kMostTextBytes);
    const Answer answer = {-1, static_cast<std::uint32_t>(text.size()), 0};
    return Send(kSocket, &answer, sizeof answer) && Send(kSocket, text.data(), text.size());
  }
}

// How the worker ended, by waitpid.
struct Ended {
  bool by_kill = false;  // somebody's SIGKILL, the kernel's when memory ran out among them
  std::string how;
};

class Worker {
 public:
  Worker() {
    int ends[2];
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) Fail("socketpair", errno);
    socket_ = ends[0];
    const timeval patience = {.tv_sec = kMostSeconds, .tv_usec = 0};
    ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    const int error = Start(ends[1]);
    ::close(ends[1]);
    if (error == 0) return;
    ::close(socket_);
    Fail("start", error);
  }
  ~Worker() {
    if (socket_ >= 0) ::close(socket_);  // it ends by itself then
    if (process_ > 0) ::waitpid(process_, nullptr, 0);
  }
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  // Nothing when it has ended or does not answer in time; End() tells then.
  std::optional<OpenCvReply> Ask(std::span<const std::byte> file, std::uint64_t max_pixels) {
    const Request request = {file.size(), max_pixels};
    Answer answer;
    OpenCvReply reply;
    if (!Send(socket_, &request, sizeof request) || !Send(socket_, file.data(), file.size()) ||
        !Receive(socket_, &answer, sizeof answer)) {
      return std::nullopt;
    }
    if (answer.result == -1) {
      std::string why(std::min<std::uint64_t>(answer.width, kMostTextBytes), '\0');
      if (!Receive(socket_, why.data(), why.size())) return std::nullopt;
      throw Rejected(Reason::kUnsupported, why);
    }
    reply.result = answer.result;
    if (answer.result != kGanOpenCvDone) return reply;
    if (answer.width == 0 || answer.height == 0 || answer.width > max_pixels / answer.height) return std::nullopt;
    reply.width = answer.width;
    reply.height = answer.height;
    reply.rgba.resize(std::size_t{4} * answer.width * answer.height);
    if (!Receive(socket_, reply.rgba.data(), reply.rgba.size())) return std::nullopt;
    return reply;
  }

  // After Ask() gave nothing: whether it crashed, or was too slow, which ends it.
  Ended End() {
    ::close(std::exchange(socket_, -1));
    int status = 0;
    pid_t ended = 0;
    // A crash closes the socket before the process is gone.
    for (int i = 0; i < 200 && ended == 0; ++i) {
      ended = ::waitpid(process_, &status, WNOHANG);
      if (ended == 0) ::usleep(10'000);
    }
    const bool slow = ended == 0;
    if (slow) ::kill(process_, SIGKILL);
    if (slow) ::waitpid(process_, &status, 0);
    process_ = -1;
    if (slow) return {false, "decoding takes over " + std::to_string(kMostSeconds) + " s"};
    if (!WIFSIGNALED(status)) return {false, "the decoder gave up"};
    const int number = WTERMSIG(status);
    return {number == SIGKILL, std::string("the decoder crashes on it (") + ::strsignal(number) + ")"};
  }

 private:
  [[noreturn]] static void Fail(const char* what, int error) {
    throw std::runtime_error(std::string("the decoding process: ") + what + ": " + std::strerror(error));
  }

  int Start(int its_socket) {
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, its_socket, kSocket);  // without close-on-exec
    std::array<char*, 3> arguments = {const_cast<char*>("gan-preprocess"), const_cast<char*>(kWorkerArgument), nullptr};
    const int error = ::posix_spawn(&process_, "/proc/self/exe", &actions, nullptr, arguments.data(), environ);
    posix_spawn_file_actions_destroy(&actions);
    return error;
  }

  int socket_ = -1;
  pid_t process_ = -1;
};

}  // namespace

void BecomeOpenCvWorkerWhenAsked(int argc, char** argv) {
  can_be_worker = true;
  if (argc != 2 || std::strcmp(argv[1], kWorkerArgument) != 0) return;
  while (ServeOne()) {
  }
  ::_exit(0);
}

OpenCvReply DecodeWithOpenCvWorker(std::span<const std::byte> file, std::uint64_t max_pixels) {
  constexpr int kTries = 3;
  thread_local std::optional<Worker> worker;
  Ended ended;
  for (int i = 0; i < kTries; ++i) {
    if (!worker) worker.emplace();
    if (std::optional<OpenCvReply> reply = worker->Ask(file, max_pixels)) return std::move(*reply);
    ended = worker->End();
    worker.reset();
    if (!ended.by_kill) throw Rejected(Reason::kCorrupt, ended.how);
  }
  // What the picture has to do with that nobody knows, so it is not left out.
  throw std::runtime_error("the decoding process was killed " + std::to_string(kTries) +
                           " times in a row (is there enough memory?); the same command goes on");
}

OpenCvReply DecodeApart(std::span<const std::byte> file, std::uint64_t max_pixels) {
  return can_be_worker ? DecodeWithOpenCvWorker(file, max_pixels) : DecodeWithOpenCvHere(file, max_pixels);
}

}  // namespace gan::preprocess
