#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>

#include "storage/files.h"

namespace gan::shard {

// One entry of the index footer: the origin of a record.
struct RecordInfo {
  std::uint32_t crc32c = 0;  // of the record's bytes
  std::uint32_t label = 0;   // index into the manifest's label names
  std::uint64_t input = 0;   // position of the image in the sorted list of inputs
  std::string source;        // path relative to the input folder, UTF-8; invalid bytes are kept unchanged
};

// Reads one memory-mapped shard. The constructor checks magic, version, exact size and the checksums of header and
// footer; VerifyRecord() checks a record. Safe to share among threads. Throws DataError naming file and offset, also
// when the file is truncated or becomes unreadable later.
class ShardReader {
 public:
  explicit ShardReader(const std::filesystem::path& path);

  std::uint32_t number() const { return number_; }
  std::uint32_t image_size() const { return image_size_; }  // pixels per side
  std::uint64_t record_bytes() const;
  std::size_t size() const { return record_count_; }
  // uint8 [size, size, 3], RGB: a view into the mapping, valid as long as the reader.
  std::span<const std::byte> Record(std::size_t i) const;
  RecordInfo Info(std::size_t i) const;
  // The stored checksum of record i alone: cheaper than Info(), which allocates a string.
  std::uint32_t RecordCrc32c(std::size_t i) const;
  // The stored label of record i alone, for the same reason. Throws DataError naming the offset unless it is below
  // `count`.
  std::uint32_t RecordLabel(std::size_t i, std::size_t count) const;
  // Throws DataError when the bytes of record i do not match their checksum.
  void VerifyRecord(std::size_t i) const;
  const std::filesystem::path& path() const { return file_.path(); }
  // Number of pages that could not be read so far and were read as zeros (storage/files.h). They may contain records
  // that were verified earlier.
  std::uint64_t lost_pages() const { return file_.lost_pages(); }
  // Throws when pages could not be read, naming the cause (storage/files.h).
  void RequireRead() const { file_.RequireRead(); }
  void ReleasePages() const { file_.ReleasePages(file_.bytes()); }
  // The whole file.
  std::span<const std::byte> bytes() const { return file_.bytes(); }

 private:
  void Open();
  void RequireFooter() const;

  storage::MappedFile file_;
  std::uint32_t number_ = 0;
  std::uint32_t image_size_ = 0;
  std::size_t record_count_ = 0;
  std::span<const std::byte> footer_;
  std::uint32_t footer_crc32c_ = 0;
  std::span<const std::byte> index_;  // the fixed-size entries
  std::span<const std::byte> names_;  // the names of the inputs
};

}  // namespace gan::shard
