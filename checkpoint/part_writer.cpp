#include "checkpoint/part_writer.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <new>
#include <utility>

#include "storage/errors.h"

namespace gan::checkpoint {

namespace {

// Most devices would accept 512 bytes, but with sectors of 4,096 bytes the kernel refuses less.
constexpr std::size_t kAlignment = 4096;  // direct writes need memory, offset and size aligned to this

// Size of the pieces that are digested and copied: small enough to stay in the processor's cache between both, and to
// let the disk continue while a large tensor is digested.
constexpr std::size_t kAtATime = std::size_t{256} << 10;

}  // namespace

PartWriter::Buffer PartWriter::NewBuffer() {
  void* memory = std::aligned_alloc(kAlignment, kChunk);
  if (memory == nullptr) throw std::bad_alloc();
  return Buffer(static_cast<std::byte*>(memory));
}

PartWriter::PartWriter(std::filesystem::path file) : file_(std::move(file)) {
  for (Buffer& buffer : buffers_) buffer = NewBuffer();
  descriptor_ = ::open(file_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
  if (descriptor_ < 0) throw IoError(file_, "open", errno);
  // Set afterwards and not by open(2): where a file system refuses the flag, the new file exists nevertheless, and
  // O_EXCL would refuse it at a second attempt.
  direct_ = ::fcntl(descriptor_, F_SETFL, O_DIRECT) == 0;  // fails on file systems without direct I/O
}

PartWriter::~PartWriter() {
  // Joins the thread before closing the file that it writes.
  EndThread();
  if (descriptor_ >= 0) ::close(descriptor_);
}

// Splits the data into pieces, because a tensor may be larger than a chunk or begin in the middle of one.
void PartWriter::Write(std::span<const std::byte> data) {
  while (!data.empty()) {
    const std::size_t fits = std::min({data.size(), kChunk - filled_, kAtATime});
    digest_.Update(data.first(fits));
    std::memcpy(buffers_[full_ % kBuffers].get() + filled_, data.data(), fits);
    filled_ += fits;
    data = data.subspan(fits);
    if (filled_ == kChunk) HandOver();
  }
}

// The thread is joined first, so that the last chunk is written after all others.
Part PartWriter::Finish() {
  EndThread();
  if (error_) std::rethrow_exception(error_);
  StopDirect();  // direct writes need aligned sizes, and the end of the file is not aligned
  const std::uint64_t before = full_ * kChunk;
  WriteOut(buffers_[full_ % kBuffers].get(), filled_, before);
  if (::fsync(descriptor_) != 0) throw IoError(file_, "fsync", errno);
  const int descriptor = std::exchange(descriptor_, -1);
  if (::close(descriptor) != 0) throw IoError(file_, "close", errno);
  return {.name = file_.filename().string(), .bytes = before + filled_, .digest = digest_.Text()};
}

// The thread is started only here, because small parts never fill a chunk.
void PartWriter::HandOver() {
  if (!thread_.joinable()) thread_ = std::thread([this] { WriteChunks(); });
  std::unique_lock lock(mutex_);
  ++full_;
  filled_ = 0;
  changed_.notify_one();
  // Three buffers: the caller fills one, the disk writes one, and the third evens out which of them is faster at the
  // moment.
  changed_.wait(lock, [this] { return error_ || full_ - written_ < kBuffers; });
  if (error_) std::rethrow_exception(error_);
}

void PartWriter::WriteChunks() try {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return ended_ || written_ < full_; });
    if (written_ == full_) return;
    const std::uint64_t chunk = written_;
    lock.unlock();
    WriteOut(buffers_[chunk % kBuffers].get(), kChunk, chunk * kChunk);
    lock.lock();
    ++written_;
    changed_.notify_one();
  }
  // The error reaches the caller's thread with its next HandOver or Finish.
} catch (...) {
  const std::lock_guard lock(mutex_);
  error_ = std::current_exception();
  changed_.notify_one();
}

void PartWriter::EndThread() {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard lock(mutex_);
    ended_ = true;
  }
  changed_.notify_one();
  thread_.join();
}

void PartWriter::StopDirect() {
  if (std::exchange(direct_, false)) ::fcntl(descriptor_, F_SETFL, 0);
}

// pwrite with explicit offsets, because both threads write to the file.
void PartWriter::WriteOut(const std::byte* data, std::size_t size, std::uint64_t offset) {
  while (size > 0) {
    const ssize_t n = ::pwrite(descriptor_, data, size, static_cast<off_t>(offset));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && errno == EINVAL && direct_) {
      StopDirect();  // some file systems accept the flag but reject direct writes
      continue;
    }
    if (n <= 0) throw IoError(file_, "write", n == 0 ? ENOSPC : errno);
    const auto written = static_cast<std::size_t>(n);
    // After a short write the rest is not aligned any more.
    if (written % kAlignment != 0) StopDirect();
    if (!direct_)
      // Otherwise the data may wait in the page cache until fsync, which then lasts as long as writing all of it.
      ::sync_file_range(descriptor_, static_cast<off_t>(offset), n,
                        SYNC_FILE_RANGE_WRITE);  // starts writing back early; only a hint
    data += written;
    size -= written;
    offset += written;
  }
}

}  // namespace gan::checkpoint
