// Writes one file of a checkpoint, bypassing the page cache where the file system supports that.
#pragma once

#include <array>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <memory>
#include <mutex>
#include <span>
#include <thread>

#include "checkpoint/manifest.h"
#include "storage/checksum.h"

namespace gan::checkpoint {

// The caller's thread copies and digests the data while a second thread writes the earlier chunks in order, so that a
// full chunk is ready whenever the disk is free. O_DIRECT is used because the kernel throttles a process that fills the
// page cache, which would slow training. Used by one thread.
// Errors: IoError from Write or Finish. A failed write, fsync or close is never retried: the save fails.
class PartWriter {
 public:
  // Creates the file, which must not exist yet.
  explicit PartWriter(std::filesystem::path file);
  ~PartWriter();
  PartWriter(const PartWriter&) = delete;
  PartWriter& operator=(const PartWriter&) = delete;

  void Write(std::span<const std::byte> data);
  // Makes all data durable and closes the file.
  Part Finish();

 private:
  static constexpr std::size_t kChunk = std::size_t{8} << 20;
  static constexpr std::size_t kBuffers = 3;
  struct Free {
    void operator()(std::byte* memory) const { std::free(memory); }
  };
  using Buffer = std::unique_ptr<std::byte, Free>;

  static Buffer NewBuffer();
  void WriteOut(const std::byte* data, std::size_t size, std::uint64_t offset);
  void HandOver();     // passes the full buffer to the writing thread; returns when another buffer is free
  void WriteChunks();  // body of the writing thread, until ended_
  void EndThread();
  void StopDirect();

  std::filesystem::path file_;
  int descriptor_ = -1;
  bool direct_ = false;  // changed by the writing thread, or while it does not exist
  storage::Digest digest_;
  std::array<Buffer, kBuffers> buffers_;  // chunk i is in buffer i % kBuffers
  std::size_t filled_ = 0;                // bytes in chunk number full_
  std::mutex mutex_;
  std::condition_variable changed_;
  std::uint64_t full_ = 0, written_ = 0;  // chunks; changed under mutex_; only the caller's thread changes full_
  bool ended_ = false;                    // guarded by mutex_
  std::exception_ptr error_;              // guarded by mutex_
  std::thread thread_;                    // started with the first full chunk
};

}  // namespace gan::checkpoint
