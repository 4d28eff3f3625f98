// Reads the lines of a text file while another process appends to it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

namespace gan::monitoring {

// Each call reads only what was appended since the last one. An incomplete last line is read later. Follows no symbolic
// link in the last component of the path; a missing file counts as empty. Not thread-safe.
class GrowingLines {
 public:
  explicit GrowingLines(std::filesystem::path file) : file_(std::move(file)) {}

  // Checks the file. Returns true when it was truncated or replaced, as by a resumed run: then everything that was read
  // before is void, and Read() begins at its first line again.
  bool IsReplaced();
  // Passes lines without their newline to `take`, at most about `most_bytes` of them. Returns false when there is more
  // to read. Call IsReplaced() first. A line longer than a megabyte is counted in skipped() and not passed.
  bool Read(std::uint64_t most_bytes, const std::function<void(std::string_view)>& take);

  const std::filesystem::path& path() const { return file_; }
  std::uint64_t size() const { return size_; }      // at the last check
  std::uint64_t offset() const { return offset_; }  // of the first byte that was not read yet
  std::uint64_t skipped() const { return skipped_; }
  double read_ratio() const { return size_ == 0 ? 1.0 : static_cast<double>(offset_) / static_cast<double>(size_); }

 private:
  std::filesystem::path file_;
  std::uint64_t inode_ = 0;
  std::uint64_t offset_ = 0;
  std::string tail_;  // the bytes just before `offset_`, to notice a replaced file
  std::uint64_t size_ = 0;
  std::int64_t written_ = 0;  // time of the last change in nanoseconds
  std::uint64_t skipped_ = 0;
};

}  // namespace gan::monitoring
