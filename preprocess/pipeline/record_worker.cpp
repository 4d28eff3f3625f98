#include "preprocess/pipeline/record_worker.h"

#include <fcntl.h>
#include <malloc.h>
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
  std::uint64_t bytes = 0;  // of the file, which follows
  std::uint64_t max_pixels = 0;
  std::uint32_t size = 0, min_side = 0, min_kept = 0;
  Filter filter{};
  Crop crop{};
  DecodeMode mode{};
  std::array<std::uint8_t, 3> background{};
  bool apply_exif = true;
};

enum class Answer : std::uint32_t { kRoom, kRecord, kRejected };
struct Message {
  Answer answer{};
  Reason reason{};          // kRejected
  std::uint64_t bytes = 0;  // kRoom: wanted; kRejected: of the text that follows; kRecord: of the pixels that do,
  std::uint64_t text = 0;   // and of the format and its library before them, each ended by a NUL
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

class SocketClosed {};

// Asks the parent, whose budget it is.
class ParentsRoom : public Room {
 public:
  void ReserveMore(std::uint64_t bytes) override {
    const Message message = {Answer::kRoom, {}, bytes, 0};
    char granted = 0;
    if (!Send(kSocket, &message, sizeof message) || !Receive(kSocket, &granted, 1)) throw SocketClosed();
  }
};

bool SendRejected(const Rejected& rejected) {
  const std::string text = std::string(rejected.what()).substr(0, kMostTextBytes);
  const Message message = {Answer::kRejected, rejected.reason(), text.size(), 0};
  return Send(kSocket, &message, sizeof message) && Send(kSocket, text.data(), text.size());
}

bool SendRecord(const Record& record) {
  const std::string text = record.format + '\0' + record.library + '\0';
  const Message message = {Answer::kRecord, {}, record.picture.pixels.size(), text.size()};
  return Send(kSocket, &message, sizeof message) && Send(kSocket, text.data(), text.size()) &&
         Send(kSocket, record.picture.pixels.data(), record.picture.pixels.size());
}

RecordOptions OptionsOf(const Request& request) {
  RecordOptions options{request.size, request.filter, request.crop, request.mode, {}};
  options.decode.background = request.background;
  options.decode.apply_exif = request.apply_exif;
  options.decode.max_pixels = request.max_pixels;
  options.decode.min_side = request.min_side;
  options.decode.min_kept = request.min_kept;
  return options;
}

bool ServeOne() {
  Request request;
  if (!Receive(kSocket, &request, sizeof request)) return false;
  std::vector<std::byte> file(request.bytes);
  if (!Receive(kSocket, file.data(), file.size())) return false;
  ParentsRoom room;
  RecordOptions options = OptionsOf(request);
  options.decode.room = &room;
  try {
    return SendRecord(MakeRecordHere(file, options));
  } catch (const Rejected& rejected) {
    return SendRejected(rejected);
  } catch (const std::bad_alloc&) {
    return SendRejected(Rejected(Reason::kTooLarge, "not enough memory for it"));
  } catch (const SocketClosed&) {
    return false;
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

  // Nothing when it has ended or does not answer in time; End() says which then. Throws Rejected.
  std::optional<Record> Ask(std::span<const std::byte> file, const RecordOptions& options) {
    const DecodeOptions& decode = options.decode;
    const Request request = {file.size(),    decode.max_pixels, options.size, decode.min_side,   decode.min_kept,
                             options.filter, options.crop,      options.mode, decode.background, decode.apply_exif};
    if (!Send(socket_, &request, sizeof request) || !Send(socket_, file.data(), file.size())) return std::nullopt;
    Message message;
    while (Receive(socket_, &message, sizeof message)) {
      if (message.answer == Answer::kRecord) return TakeRecord(message, options.size);
      if (message.answer == Answer::kRejected) return TakeRejected(message);
      if (decode.room != nullptr) decode.room->ReserveMore(message.bytes);
      constexpr char kGranted = 1;
      if (!Send(socket_, &kGranted, 1)) return std::nullopt;
    }
    return std::nullopt;
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
  std::optional<Record> TakeRecord(const Message& message, std::uint32_t size) {
    Record record{Rgb8(size, size), {}, {}};
    std::string text(std::min(message.text, kMostTextBytes), '\0');
    if (message.bytes != record.picture.pixels.size() || !Receive(socket_, text.data(), text.size()) ||
        !Receive(socket_, record.picture.pixels.data(), record.picture.pixels.size())) {
      return std::nullopt;
    }
    record.format = text.c_str();
    record.library = text.c_str() + std::min(record.format.size() + 1, text.size());
    return record;
  }

  std::optional<Record> TakeRejected(const Message& message) {
    std::string why(std::min(message.bytes, kMostTextBytes), '\0');
    if (!Receive(socket_, why.data(), why.size())) return std::nullopt;
    throw Rejected(message.reason, why);
  }

  [[noreturn]] static void Fail(const char* what, int error) {
    throw std::runtime_error(std::string("the decoding process: ") + what + ": " + std::strerror(error));
  }

  int Start(int its_socket) {
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, its_socket, kSocket);  // without close-on-exec
    // Decoders print what they think of damaged pictures; the quarantine says it.
    posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    std::array<char*, 3> arguments = {const_cast<char*>("gan-preprocess"), const_cast<char*>(kWorkerArgument), nullptr};
    const int error = ::posix_spawn(&process_, "/proc/self/exe", &actions, nullptr, arguments.data(), environ);
    posix_spawn_file_actions_destroy(&actions);
    return error;
  }

  int socket_ = -1;
  pid_t process_ = -1;
};

}  // namespace

void BecomeWorkerWhenAsked(int argc, char** argv) {
  can_be_worker = true;
  if (argc != 2 || std::strcmp(argv[1], kWorkerArgument) != 0) return;
  // Each picture takes and frees the same few megabytes: kept, their pages need not be made anew for each.
  ::mallopt(M_MMAP_THRESHOLD, 1 << 30);
  ::mallopt(M_TRIM_THRESHOLD, 64 << 20);
  while (ServeOne()) {
  }
  ::_exit(0);
}

bool HasWorkers() { return can_be_worker; }

Record MakeRecordApart(std::span<const std::byte> file, const RecordOptions& options) {
  constexpr int kTries = 3;
  thread_local std::optional<Worker> worker;
  Ended ended;
  for (int i = 0; i < kTries; ++i) {
    if (!worker) worker.emplace();
    if (std::optional<Record> record = worker->Ask(file, options)) return std::move(*record);
    ended = worker->End();
    worker.reset();
    if (!ended.by_kill) throw Rejected(Reason::kCorrupt, ended.how);
  }
  // What the picture has to do with that nobody knows, so it is not left out.
  throw std::runtime_error("the decoding process was killed " + std::to_string(kTries) +
                           " times in a row (is there enough memory?); the same command goes on");
}

}  // namespace gan::preprocess
