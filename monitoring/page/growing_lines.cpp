#include "monitoring/page/growing_lines.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

namespace gan::monitoring {
namespace {

// Longer than any line that the trainer writes.
constexpr std::uint64_t kBlock = std::uint64_t{1} << 20;
// Enough bytes to distinguish a line from another one at the same position after a rollback.
constexpr std::size_t kTail = 256;

class File {
 public:
  explicit File(const std::filesystem::path& path)
      : descriptor_(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)) {}
  ~File() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;

  // At most `most` bytes from `offset`. An error gives an empty text, as if the file had ended.
  std::string Read(std::uint64_t offset, std::uint64_t most) const {
    std::string bytes(most, '\0');
    // The file may have become shorter since its size was read; then fewer bytes come.
    const ssize_t got = ::pread(descriptor_, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    bytes.resize(got < 0 ? 0 : static_cast<std::size_t>(got));
    return bytes;
  }

 private:
  int descriptor_;
};

void PassLines(std::string_view text, const std::function<void(std::string_view)>& take) {
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    take(text.substr(0, end));
    text.remove_prefix(end + 1);
  }
}

}  // namespace

bool GrowingLines::IsReplaced() {
  struct stat found {};
  const bool is_there = ::lstat(file_.c_str(), &found) == 0 && S_ISREG(found.st_mode);
  const std::uint64_t size = is_there ? static_cast<std::uint64_t>(found.st_size) : 0;
  const std::int64_t written = std::int64_t{found.st_mtim.tv_sec} * 1'000'000'000 + found.st_mtim.tv_nsec;
  // A rollback truncates the file, which may have grown beyond `offset_` again since the last call. So the bytes before
  // `offset_` are compared as well, unless nothing was written since.
  const bool is_touched = is_there && (size != size_ || written != written_);
  const bool changed = is_touched && size >= offset_ && !tail_.empty() &&
                       File(file_).Read(offset_ - tail_.size(), tail_.size()) != tail_;
  // At the first call inode_ is 0, so an existing file counts as replaced. Nothing has been read then.
  const bool replaced = size < offset_ || changed || (is_there && found.st_ino != inode_);
  if (replaced) *this = GrowingLines(file_);
  inode_ = is_there ? found.st_ino : 0;
  size_ = size;
  written_ = is_there ? written : 0;
  return replaced;
}

bool GrowingLines::Read(std::uint64_t most_bytes, const std::function<void(std::string_view)>& take) {
  if (offset_ >= size_) return true;
  const File file(file_);
  for (std::uint64_t read = 0; offset_ < size_ && read < most_bytes;) {
    const std::string block = file.Read(offset_, std::min(kBlock, size_ - offset_));
    const std::size_t end = block.rfind('\n');
    if (end == std::string::npos) {
      if (block.size() < kBlock) return true;  // the last line is incomplete
      offset_ += block.size();                 // longer than any line of the trainer: skipped
      tail_.clear();
      ++skipped_;
      continue;
    }
    PassLines(std::string_view(block).substr(0, end + 1), take);
    // Kept to notice at the next call whether the file was replaced.
    const std::size_t length = std::min(end + 1, kTail);
    tail_ = block.substr(end + 1 - length, length);
    offset_ += end + 1;
    read += end + 1;
  }
  return offset_ >= size_;
}

}  // namespace gan::monitoring
