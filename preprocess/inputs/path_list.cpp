#include "preprocess/inputs/path_list.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "preprocess/inputs/content.h"
#include "storage/errors.h"

namespace gan::preprocess {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t kLongestPath = 4096;  // PATH_MAX
constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

[[noreturn]] void Refuse(const std::string& list, const std::string& what) {
  throw UsageError(list + ": " + what +
                   ": neither a folder, an archive (.zip, .7z, .tar[.gz|.xz|.bz2|.zst|.lz4|.lzma|.lz|.Z]) or a "
                   "picture, nor a list of "
                   "paths");
}

// Splits a text that arrives in blocks into paths.
class PathSplitter {
 public:
  PathSplitter(const std::string& list, const std::function<void(std::string_view)>& take) : list_(list), take_(take) {}

  void Take(std::string_view block) {
    if (offset_ == 0) Begin(block);
    RequireText(block);
    offset_ += block.size();
    while (!block.empty()) {
      const std::size_t end = block.find(separator_);
      rest_.append(block.substr(0, end));
      // A file without line ends is therefore refused early, and never held in memory.
      if (rest_.size() > kLongestPath) Refuse(list_, "a line of over 4,096 bytes");
      if (end == std::string_view::npos) return;
      Finish();
      block.remove_prefix(end + 1);
    }
  }

  void Finish() {
    if (separator_ == '\n' && !rest_.empty() && rest_.back() == '\r') rest_.pop_back();
    if (is_first_ && rest_.starts_with(kByteOrderMark)) rest_.erase(0, kByteOrderMark.size());
    is_first_ = false;
    if (!rest_.empty()) take_(rest_);
    rest_.clear();
  }

 private:
  void Begin(std::string_view block) {
    const std::string_view name = NameOfContent(block);
    if (!name.empty()) Refuse(list_, "it looks like " + std::string(name));
    // The first block decides the separator, since a path can contain a line end but no NUL.
    separator_ = block.find('\0') == std::string_view::npos ? '\n' : '\0';
  }

  // Two NULs in a row occur in binary data, but not in the output of `find -print0`.
  void RequireText(std::string_view block) const {
    using namespace std::string_view_literals;
    std::size_t at = FindControlCharacter(block);
    if (at == block.npos) at = block.find("\0\0"sv);
    if (at == block.npos && separator_ == '\n') at = block.find('\0');
    if (at == block.npos) return;
    char what[80];
    std::snprintf(what, sizeof what, "it is no text (byte 0x%02X at offset %zu)", static_cast<unsigned char>(block[at]),
                  offset_ + at);
    Refuse(list_, what);
  }

  const std::string& list_;
  const std::function<void(std::string_view)>& take_;
  std::string rest_;
  std::size_t offset_ = 0;  // offset of the next block
  char separator_ = '\n';
  bool is_first_ = true;  // the next path is the first one of the list
};

class BlockFile {
 public:
  explicit BlockFile(const fs::path& path) : path_(path), descriptor_(::open(path.c_str(), O_RDONLY | O_CLOEXEC)) {
    if (descriptor_ < 0) throw IoError(path, "open", errno);
  }
  ~BlockFile() { ::close(descriptor_); }
  BlockFile(const BlockFile&) = delete;
  BlockFile& operator=(const BlockFile&) = delete;

  std::string Next() const { return NextBlock(descriptor_, path_); }

 private:
  const fs::path& path_;
  int descriptor_;
};

}  // namespace

std::string NextBlock(int descriptor, const fs::path& list) {
  std::string block(std::size_t{1} << 16, '\0');
  ssize_t n = -1;
  do n = ::read(descriptor, block.data(), block.size());
  while (n < 0 && errno == EINTR);
  if (n < 0) throw IoError(list, "read", errno);
  block.resize(static_cast<std::size_t>(n));
  return block;
}

void ReadPaths(const std::string& list, const ReadBlock& read, const std::function<void(std::string_view)>& take) {
  PathSplitter splitter(list, take);
  for (std::string block = read(); !block.empty(); block = read()) splitter.Take(block);
  splitter.Finish();
}

void ReadPathsOfFile(const fs::path& list, const std::function<void(std::string_view)>& take) {
  const BlockFile file(list);
  ReadPaths(
      list.string(), [&] { return file.Next(); }, take);
}

}  // namespace gan::preprocess
