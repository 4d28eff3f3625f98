// One file of a checkpoint, written once and past the page cache where the file system can.
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

// Copies and digests on the caller's thread while another one writes the chunks before, one after another: there is
// always a full one when the disk is done. O_DIRECT, because the kernel slows a process down that fills the page cache,
// and the training beside would lose it. Used by one thread.
// Errors: IoError from Write or Finish. A write, fsync or close that fails is never tried again: the attempt is
// dropped.
class PartWriter {
 public:
  // Makes the file, which must not exist.
  explicit PartWriter(std::filesystem::path file);
  ~PartWriter();
  PartWriter(const PartWriter&) = delete;
  PartWriter& operator=(const PartWriter&) = delete;

  void Write(std::span<const std::byte> data);
  // Puts everything on the disk and closes the file.
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
  void HandOver();     // the buffer that is full; returns when another is free
  void WriteChunks();  // on the thread that writes, until ended_
  void EndThread();
  void StopDirect();

  std::filesystem::path file_;
  int descriptor_ = -1;
  bool direct_ = false;  // by the thread that writes, or while none does
  storage::Digest digest_;
  std::array<Buffer, kBuffers> buffers_;  // chunk i lies in i % kBuffers
  std::size_t filled_ = 0;                // bytes of chunk full_
  std::mutex mutex_;
  std::condition_variable changed_;
  std::uint64_t full_ = 0, written_ = 0;  // chunks; changed under the mutex, full_ by the caller's thread alone
  bool ended_ = false;                    // guarded by mutex_
  std::exception_ptr error_;              // guarded by mutex_
  std::thread thread_;                    // begins with the first full chunk
};

}  // namespace gan::checkpoint
