// One file of a checkpoint, written once and past the page cache where the file system can.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <future>
#include <memory>
#include <span>

#include "storage/checksum.h"
#include "trainer/checkpoint/manifest.h"

namespace gan::checkpoint {

// Copies and digests on the caller's thread while another one writes the chunk before. O_DIRECT, because the kernel
// slows a process down that fills the page cache, and the training beside would lose it. Used by one thread.
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
  struct Free {
    void operator()(std::byte* memory) const { std::free(memory); }
  };
  using Buffer = std::unique_ptr<std::byte, Free>;

  static Buffer NewBuffer();
  void WriteOut(const std::byte* data, std::size_t size, std::uint64_t offset);
  void StartWriting();  // of the buffer that is full
  void Wait();          // until the chunk in flight is written
  void StopDirect();

  std::filesystem::path file_;
  int descriptor_ = -1;
  bool direct_ = false;  // by the thread that writes, or while none does
  storage::Digest digest_;
  std::array<Buffer, 2> buffers_;  // one is filled, the other written
  std::size_t filled_ = 0;
  std::uint64_t handed_over_ = 0;  // bytes
  std::future<void> in_flight_;
};

}  // namespace gan::checkpoint
