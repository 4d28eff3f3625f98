// The bytes of one input file.
#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <span>

#include "storage/files.h"

namespace gan::preprocess {

// Whether an error may pass: too many open files, a stale handle, or a permission that may still be granted. Such an
// input is worth another try.
bool MayPass(int error_number);

// Small files, which are nearly all, are read into a buffer of the thread, because that is faster than a mapping. The
// bytes are valid as long as the object; each thread may have one object at a time. Throws IoError, DataError when it
// is not a regular file.
class InputFile {
 public:
  explicit InputFile(const std::filesystem::path& path);
  std::span<const std::byte> bytes() const { return bytes_; }
  // Call it after the bytes were used. Throws when some of them could not be read (storage/files.h).
  void RequireRead() const {
    if (mapped_) mapped_->RequireRead();
  }

 private:
  std::optional<storage::MappedFile> mapped_;
  std::span<const std::byte> bytes_;
};

}  // namespace gan::preprocess
