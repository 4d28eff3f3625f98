#include "launcher/output_tee.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>

#include "storage/errors.h"

namespace gan::launch {

namespace {

// A reader that has ended gives EPIPE here and no SIGPIPE, which BecomeSupervisor() ignores. The rest of the piece is
// then not passed on, but Read() keeps it for the diagnosis.
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
  finish_ = ::eventfd(0, EFD_CLOEXEC);
  if (finish_ < 0) throw IoError("stderr", "eventfd", errno);
  thread_ = std::thread([this] { Read(); });
}

OutputTee::~OutputTee() {
  Finish();
  ::close(read_end_);
  ::close(finish_);
}

// The thread is stopped through a separate descriptor, because a process that outlives the job may hold the write end
// open and continue to write.
std::string OutputTee::Finish() {
  if (write_end_ >= 0) {
    const std::uint64_t one = 1;
    [[maybe_unused]] const ssize_t n = ::write(finish_, &one, sizeof one);
    thread_.join();
    ::close(write_end_);
    write_end_ = -1;
  }
  return kept_;
}

// The user sees the job's output as it arrives. Its end is kept, because there mpirun names the first rank that failed.
void OutputTee::Read() {
  std::array<pollfd, 2> ends = {{{read_end_, POLLIN, 0}, {finish_, POLLIN, 0}}};
  while (true) {
    if (::poll(ends.data(), ends.size(), -1) < 0) continue;  // a signal
    if (ends[1].revents != 0) break;
    Take(kPiece);
  }
  // The job has ended, so its whole output is in the pipe by now. Later output of other processes is not waited for.
  int rest = 0;
  ::ioctl(read_end_, FIONREAD, &rest);
  while (rest > 0) rest -= static_cast<int>(Take(static_cast<std::size_t>(rest)));
}

std::size_t OutputTee::Take(std::size_t most) {
  std::array<char, kPiece> buffer{};
  const ssize_t n = ::read(read_end_, buffer.data(), std::min(most, buffer.size()));
  if (n < 0) return 0;  // interrupted by a signal: the caller tries again
  const auto count = static_cast<std::size_t>(n);
  PassOn(buffer.data(), count);
  kept_.append(buffer.data(), count);
  // Cut only when it has doubled, so that each byte is moved once on average and not with every read.
  if (kept_.size() > 2 * kMostKept) kept_.erase(0, kept_.size() - kMostKept);
  return count;
}

}  // namespace gan::launch
