#include "launcher/output_tee.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "storage/errors.h"

namespace gan::launch {

namespace {

// A reader that has ended gives EPIPE here and no SIGPIPE, which BecomeSupervisor() ignores. The rest of the piece is
// then dropped, but it was not written for that reader alone: Read() keeps it.
void PassOn(const char* bytes, std::size_t count) {
  while (count > 0) {
    const ssize_t n = ::write(STDERR_FILENO, bytes, count);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return;
    bytes += n;
    count -= static_cast<std::size_t>(n);
  }
}

}  // namespace

OutputTee::OutputTee() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) throw IoError("stderr", "pipe", errno);
  read_end_ = ends[0];
  write_end_ = ends[1];
  thread_ = std::thread([this] { Read(); });
}

OutputTee::~OutputTee() {
  Finish();
  ::close(read_end_);
}

// A zero byte ends the reading, because a process that the job left behind may hold the write end open.
std::string OutputTee::Finish() {
  if (write_end_ >= 0) {
    // In this order: the thread takes a zero byte for the end only when it sees the flag, so a zero byte that a rank
    // writes earlier is text.
    finishing_ = true;
    [[maybe_unused]] const ssize_t n = ::write(write_end_, "", 1);
    ::close(write_end_);
    write_end_ = -1;
    thread_.join();
  }
  return kept_;
}

// The user sees what the job writes as it comes, and its end is kept, because mpirun names there the rank that was
// first.
void OutputTee::Read() {
  std::array<char, 8192> buffer{};
  while (true) {
    const ssize_t n = ::read(read_end_, buffer.data(), buffer.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return;
    auto count = static_cast<std::size_t>(n);
    const bool is_end = finishing_ && buffer[count - 1] == '\0';
    if (is_end) --count;
    PassOn(buffer.data(), count);
    kept_.append(buffer.data(), count);
    // Cut only when it has doubled, so that a byte is moved once on average and not with every read.
    if (kept_.size() > 2 * kMostKept) kept_.erase(0, kept_.size() - kMostKept);
    if (is_end) return;
  }
}

}  // namespace gan::launch
