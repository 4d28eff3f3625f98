#include "preprocess/inputs/input_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <vector>

#include "storage/errors.h"

namespace gan::preprocess {

namespace {

constexpr std::uint64_t kSmall = std::uint64_t{4} << 20;

class Descriptor {
 public:
  // Opening a pipe would wait for a writer.
  explicit Descriptor(const std::filesystem::path& path) : path_(path) {
    do number_ = ::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    while (number_ < 0 && errno == EINTR);
    if (number_ >= 0) return;
    const int error = errno;
    // A socket can never be opened. For a device the same error may pass.
    if (error == ENXIO && std::filesystem::is_socket(path)) throw DataError(path, "is not a regular file");
    throw IoError(path, "open", error);
  }
  ~Descriptor() { ::close(number_); }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;

  std::uint64_t Size() const {
    struct stat status = {};
    if (::fstat(number_, &status) != 0) throw IoError(path_, "stat", errno);
    // Checked on the open file, because the path may lead to another one by now.
    if (!S_ISREG(status.st_mode)) throw DataError(path_, "is not a regular file");
    return static_cast<std::uint64_t>(status.st_size);
  }

  // Returns fewer bytes than `room` has when the file has become shorter.
  std::span<const std::byte> Read(std::span<std::byte> room) const {
    std::size_t done = 0;
    while (done < room.size()) {
      const ssize_t n = ::read(number_, room.data() + done, room.size() - done);
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) throw IoError(path_, "read", errno);
      if (n == 0) break;
      done += static_cast<std::size_t>(n);
    }
    return room.first(done);
  }

 private:
  const std::filesystem::path& path_;
  int number_ = -1;
};

}  // namespace

bool MayPass(int error_number) {
  // EACCES and EPERM are among them because the permission may be granted, EIO and ESTALE because network file systems
  // recover.
  constexpr std::array kPassing = {EMFILE, ENFILE, ENOMEM, EINTR,     EAGAIN,   EACCES,       EPERM, EIO,
                                   ESTALE, EBUSY,  ENODEV, ETIMEDOUT, ENOTCONN, EHOSTUNREACH, ENXIO, EREMOTEIO};
  return std::find(kPassing.begin(), kPassing.end(), error_number) != kPassing.end();
}

InputFile::InputFile(const std::filesystem::path& path) {
  const Descriptor file(path);
  const std::uint64_t size = file.Size();
  if (size > kSmall) {
    bytes_ = mapped_.emplace(path).bytes();
    return;
  }
  // The buffer grows to the size of the largest small file and is never shrunk, so that no input costs an allocation.
  thread_local std::vector<std::byte> buffer;
  if (buffer.size() < size) buffer.resize(size);
  bytes_ = file.Read(std::span(buffer).first(size));
}

}  // namespace gan::preprocess
