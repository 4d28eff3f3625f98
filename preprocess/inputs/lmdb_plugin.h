// The interface of libgan_lmdb.so, which links liblmdb. Only the process that reads an LMDB file loads it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

namespace gan::preprocess {

// One database, open for reading, without its lock. One thread at a time. Errors are std::runtime_error without the
// file's name, those of the system std::system_error; a damaged file can also crash the process.
class LmdbDatabase {
 public:
  // The content of the file at one place; valid until the next call.
  struct Entry {
    std::span<const std::byte> key, value;
  };

  virtual ~LmdbDatabase() = default;
  // The entry at `position` in the order of the keys; empty beyond the last one. Going forward is cheap, because
  // skipped values are not read.
  virtual std::optional<Entry> At(std::uint64_t position) = 0;

 protected:
  LmdbDatabase() = default;
  LmdbDatabase(const LmdbDatabase&) = default;
  LmdbDatabase& operator=(const LmdbDatabase&) = default;
};

// The only symbol that the program looks up: GanOpenLmdb.
using GanOpenLmdb = LmdbDatabase*(const std::string& path);

}  // namespace gan::preprocess
