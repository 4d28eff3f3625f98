#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

namespace gan::shard {

struct FileDigest {
  std::uint64_t bytes = 0;
  std::string digest;  // as storage::DigestOf
};

// Of the whole file. What was read does not stay in this process's memory, however large the file. Throws IoError,
// DataError.
FileDigest DigestOfFile(const std::filesystem::path& file);

}  // namespace gan::shard
