#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <vector>

#include "shard/shard_reader.h"
#include "storage/files.h"

namespace gan::shard {

// Writes one shard; the file appears under its name only when Commit() returns. The bytes depend on the arguments
// alone: no time, no host, no process. Not thread-safe. Throws IoError.
class ShardWriter {
 public:
  ShardWriter(const std::filesystem::path& path, std::uint32_t number, std::uint32_t image_size);

  // record: uint8 [image_size, image_size, 3]; info.crc32c is computed here.
  void Append(std::span<const std::byte> record, RecordInfo info);
  std::size_t size() const { return infos_.size(); }
  // Footer, header, fsync, rename.
  void Commit();

 private:
  storage::AtomicFile file_;
  std::uint32_t number_;
  std::uint32_t image_size_;
  std::vector<RecordInfo> infos_;
};

}  // namespace gan::shard
