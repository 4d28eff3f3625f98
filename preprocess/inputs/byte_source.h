// Random access to the bytes of a file, of a compressed file, or of an archive's member.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>

#include "preprocess/inputs/archive_stream.h"

namespace gan::preprocess {

struct ByteOrigin {
  enum class Kind { kPlain, kCompressed, kMember };
  std::filesystem::path file;
  Kind kind = Kind::kPlain;
  std::uint32_t position = 0;  // of a member among the archive's entries
};

// Going forward is cheap. Going back in compressed data reads it again from its beginning. One thread at a time.
class ByteSource {
 public:
  explicit ByteSource(ByteOrigin origin) : origin_(std::move(origin)) {}
  ~ByteSource();
  ByteSource(const ByteSource&) = delete;
  ByteSource& operator=(const ByteSource&) = delete;

  // Fills `room` with the bytes from `offset` on and returns their number, which is smaller at the end. Throws Rejected
  // for damage, IoError.
  std::size_t ReadAt(std::uint64_t offset, std::span<std::byte> room);

 private:
  std::size_t ReadPlain(std::uint64_t offset, std::span<std::byte> room);
  std::size_t ReadStream(std::uint64_t offset, std::span<std::byte> room);
  void Restart();

  const ByteOrigin origin_;
  int descriptor_ = -1;
  std::optional<ArchiveStream> stream_;
  std::uint64_t at_ = 0;  // position in the stream
};

}  // namespace gan::preprocess
