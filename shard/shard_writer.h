#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <vector>

#include "shard/shard_reader.h"
#include "storage/files.h"

namespace gan::shard {

// Writes one shard. The file appears under its name only when Commit() returns. The bytes depend only on the arguments,
// not on time, host or process. Not thread-safe. Throws IoError.
class ShardWriter {
 public:
  ShardWriter(const std::filesystem::path& path, std::uint32_t number, std::uint32_t image_size);

  // record: uint8 [image_size, image_size, 3]; info.crc32c is computed here.
  void Append(std::span<const std::byte> record, RecordInfo info);
  std::size_t size() const { return infos_.size(); }
  // Writes footer and header, then fsync and rename.
  void Commit();

 private:
  storage::AtomicFile file_;
  std::uint32_t number_;
  std::uint32_t image_size_;
  std::vector<RecordInfo> infos_;
};

}  // namespace gan::shard
