#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <system_error>
#include <utility>

#include "storage/closer.h"
#include "storage/errors.h"
#include "storage/files.h"
#include "storage/lost_pages.h"
#include "storage/warnings.h"

namespace gan::storage {

namespace {

// A mapped file can fail late: when another process truncates it, the mapping stays, but its pages behind the new end
// are lost (lost_pages.h).

// madvise needs whole pages, so the range is extended to page boundaries. Its result is ignored, because it is only a
// hint.
void Advise(std::span<const std::byte> mapped, int advice) {
  const auto page = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
  const auto begin = reinterpret_cast<std::uintptr_t>(mapped.data()) / page * page;
  const auto end = reinterpret_cast<std::uintptr_t>(mapped.data() + mapped.size());
  ::madvise(reinterpret_cast<void*>(begin), end - begin, advice);  // NOLINT(performance-no-int-to-ptr): an address
}

// Tries a shared mapping first. Some file systems (FUSE with direct I/O, 9p without a cache) support only private
// mappings of files that are read; pages of the page cache are shared in both cases.
std::byte* Map(int descriptor, std::size_t size) {
  void* data = ::mmap(nullptr, size, PROT_READ, MAP_SHARED, descriptor, 0);
  if (data == MAP_FAILED && (errno == ENODEV || errno == EINVAL)) {
    data = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, descriptor, 0);
  }
  return data == MAP_FAILED ? nullptr : static_cast<std::byte*>(data);
}

void ReadAll(int descriptor, std::span<std::byte> room, const std::filesystem::path& path) {
  for (std::size_t done = 0; done < room.size();) {
    const ssize_t n = ::pread(descriptor, room.data() + done, room.size() - done, static_cast<off_t>(done));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) throw IoError(path, "read", errno);
    if (n == 0) throw DataError(path, done, "ended while it was read");
    done += static_cast<std::size_t>(n);
  }
}

// Memory for a file that cannot be mapped. mmap, so that the destructor can unmap both kinds alike.
std::byte* Anonymous(std::size_t size, const std::filesystem::path& path) {
  void* room = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (room == MAP_FAILED) throw IoError(path, "mmap", errno);
  return static_cast<std::byte*>(room);
}

}  // namespace

void WillRead(std::span<const std::byte> mapped) { Advise(mapped, MADV_WILLNEED); }

MappedFile::MappedFile(const std::filesystem::path& path) : path_(path) {
  const Closer file{
      ::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC)};  // O_NONBLOCK: a pipe is rejected instead of waited for
  if (file.descriptor < 0) throw IoError(path, "open", errno);
  struct stat status = {};
  if (::fstat(file.descriptor, &status) != 0) throw IoError(path, "stat", errno);
  if (!S_ISREG(status.st_mode)) throw DataError(path, "is not a regular file");
  size_ = static_cast<std::size_t>(status.st_size);
  // mmap refuses a length of zero, while an empty file is valid input here.
  if (size_ == 0) return;
  if (std::byte* mapped = Map(file.descriptor, size_)) {
    data_ = mapped;
    region_ = std::make_unique<MappedRegion>();
    region_->begin = reinterpret_cast<std::uintptr_t>(data_);
    region_->end = region_->begin + size_;
    Watch(*region_);
    return;
  }
  if (errno != ENODEV && errno != EINVAL) throw IoError(path, "mmap", errno);
  WarnOnce("mappings", path.string() +
                           ": this file system has no mappings (mmap: " + std::generic_category().message(errno) +
                           "); files are read into the memory of each process instead");
  std::byte* room = Anonymous(size_, path);
  data_ = room;
  try {
    ReadAll(file.descriptor, {room, size_}, path);
  } catch (...) {
    ::munmap(room, size_);
    throw;
  }
}

MappedFile::~MappedFile() {
  // The order matters: an address that another mapping gets after munmap must not be in the handler's list.
  if (region_ != nullptr) Unwatch(*region_);
  if (data_ != nullptr) ::munmap(const_cast<std::byte*>(data_), size_);
}

MappedFile::MappedFile(MappedFile&& other) noexcept
    : path_(std::move(other.path_)),
      data_(std::exchange(other.data_, nullptr)),
      size_(std::exchange(other.size_, 0)),
      region_(std::move(other.region_)) {}

// Swapping leaves the old mapping to the destructor of `other`.
// The region does not move with the file, because the handler's list points to it.
MappedFile& MappedFile::operator=(MappedFile&& other) noexcept {
  std::swap(path_, other.path_);
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  std::swap(region_, other.region_);
  return *this;
}

// Memory that was read without a mapping cannot be released.
void MappedFile::ReleasePages(std::span<const std::byte> part) const {
  if (region_ != nullptr) Advise(part, MADV_DONTNEED);
}

std::uint64_t MappedFile::lost_pages() const { return region_ == nullptr ? 0 : region_->lost_pages.load(); }

// Reads the lost page again with a system call, which reports the cause as an error code.
void MappedFile::RequireRead() const {
  if (lost_pages() == 0) return;
  const std::uint64_t offset = region_->last_lost.load();
  const Closer file{::open(path_.c_str(), O_RDONLY | O_CLOEXEC)};
  if (file.descriptor < 0) throw IoError(path_, "open", errno);
  std::byte one{};
  const ssize_t n = ::pread(file.descriptor, &one, 1, static_cast<off_t>(offset));
  if (n == 0) throw DataError(path_, offset, "became shorter while it was read");
  throw IoError(path_, "read", n < 0 ? errno : EIO);
}

}  // namespace gan::storage
