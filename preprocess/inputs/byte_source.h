// The bytes of a file, of a compressed file, or of an archive's member, by their place.
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

// Going forward is cheap; what is compressed is read from its beginning again to go back. One thread at a time.
class ByteSource {
 public:
  explicit ByteSource(ByteOrigin origin) : origin_(std::move(origin)) {}
  ~ByteSource();
  ByteSource(const ByteSource&) = delete;
  ByteSource& operator=(const ByteSource&) = delete;

  // Fills `room` with the bytes from `offset` on. Fewer are read at the end: -> how many. Throws Rejected for damage,
  // IoError.
  std::size_t ReadAt(std::uint64_t offset, std::span<std::byte> room);

 private:
  std::size_t ReadPlain(std::uint64_t offset, std::span<std::byte> room);
  std::size_t ReadStream(std::uint64_t offset, std::span<std::byte> room);
  void Restart();

  const ByteOrigin origin_;
  int descriptor_ = -1;
  std::optional<ArchiveStream> stream_;
  std::uint64_t at_ = 0;  // in the stream
};

}  // namespace gan::preprocess
