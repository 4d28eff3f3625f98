#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

namespace gan::shard {

struct FileDigest {
  std::uint64_t bytes = 0;
  std::string digest;  // as storage::DigestOf
};

// Digests the whole file. The pages that were read are released, so the process stays small however large the file is.
// Throws IoError, DataError.
FileDigest DigestOfFile(const std::filesystem::path& file);

}  // namespace gan::shard
