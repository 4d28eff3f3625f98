// The bytes of one input file.
#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <span>

#include "storage/files.h"

namespace gan::preprocess {

// Whether an error says more about the moment than about the file: too many open files, a stale handle, a permission
// that somebody may give. What failed so is worth another try.
bool MayPass(int error_number);

// Small files, which is nearly all of them, are read into a buffer of the thread: a mapping costs more than that. The
// bytes are there as long as the object; one object a thread at a time.
// Throws IoError, DataError when it is no regular file.
class InputFile {
 public:
  explicit InputFile(const std::filesystem::path& path);
  std::span<const std::byte> bytes() const { return bytes_; }
  // To be asked when the bytes were used: throws when some of them could not be read (storage/files.h).
  void RequireRead() const {
    if (mapped_) mapped_->RequireRead();
  }

 private:
  std::optional<storage::MappedFile> mapped_;
  std::span<const std::byte> bytes_;
};

}  // namespace gan::preprocess
