#include "preprocess/inputs/sources.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cerrno>
#include <utility>

#include "preprocess/inputs/archive.h"
#include "storage/errors.h"

namespace gan::preprocess {

namespace fs = std::filesystem;

namespace {

constexpr std::array<std::string_view, 14> kPictureExtensions = {".jpg", ".jpeg", ".jpe",  ".jfif", ".png", ".webp", ".bmp",
                                                          ".dib", ".tif",  ".tiff", ".gif",  ".ppm", ".pgm",  ".pnm"};
constexpr std::size_t kLongestPath = 4096;  // PATH_MAX

// The pictures below one folder. Links to folders are followed unless they lead to a folder that holds them.
class Walk {
 public:
  Walk(const fs::path& root, SourceList& found) : root_(root), found_(found) {}

  void Enter(const fs::path& folder) {
    struct stat status = {};
    if (::stat(folder.c_str(), &status) != 0) return;
    const std::pair<dev_t, ino_t> identity(status.st_dev, status.st_ino);
    if (std::find(above_.begin(), above_.end(), identity) != above_.end()) return;  // a cycle
    above_.push_back(identity);
    for (const auto& entry : fs::directory_iterator(folder, fs::directory_options::skip_permission_denied)) Take(entry);
    above_.pop_back();
  }

 private:
  void Take(const fs::directory_entry& entry) {
    std::error_code unreadable;  // a dangling link is no picture
    if (entry.is_directory(unreadable)) return Enter(entry.path());
    if (!LooksLikeAPicture(entry.path().native()) || !entry.is_regular_file(unreadable)) return;
    const std::uint64_t bytes = entry.file_size(unreadable);
    // What comes below the root as the root was written; this is what most of the time of a walk went to.
    const std::string_view path = entry.path().native();
    const std::size_t root = root_.native().size();
    found_.Add(path.substr(path[root] == '/' ? root + 1 : root), unreadable ? 0 : bytes);
  }

  const fs::path& root_;
  SourceList& found_;
  std::vector<std::pair<dev_t, ino_t>> above_;
};

void AddFolder(const fs::path& folder, SourceList& found) {
  found.Begin(SourceList::Kind::kFolder, folder);
  const std::uint64_t first = found.size();
  Walk(folder, found).Enter(folder);
  found.SortFrom(first);
}

void AddPath(std::string_view path, SourceList& found) {
  struct stat status = {};
  const bool there = ::stat(std::string(path).c_str(), &status) == 0 && S_ISREG(status.st_mode);
  found.Add(path, there ? static_cast<std::uint64_t>(status.st_size) : 0);  // if not, opening it will say why
}

// Cuts a text that comes in blocks into paths.
class PathSplitter {
 public:
  PathSplitter(const fs::path& list, SourceList& found) : list_(list), found_(found) {}

  void Take(std::string_view block) {
    if (first_block_) separator_ = block.find('\0') == std::string_view::npos ? '\n' : '\0';
    first_block_ = false;
    while (!block.empty()) {
      const std::size_t end = block.find(separator_);
      rest_.append(block.substr(0, end));
      if (rest_.size() > kLongestPath) {
        throw UsageError(list_.string() +
                         ": a line of over 4,096 bytes: neither a folder, an archive (.zip, .tar, "
                         ".tar.gz, .tar.zst) or a picture, nor a list of paths");
      }
      if (end == std::string_view::npos) return;
      Finish();
      block.remove_prefix(end + 1);
    }
  }

  void Finish() {
    if (separator_ == '\n' && !rest_.empty() && rest_.back() == '\r') rest_.pop_back();
    if (!rest_.empty()) AddPath(rest_, found_);
    rest_.clear();
  }

 private:
  const fs::path& list_;
  SourceList& found_;
  std::string rest_;
  char separator_ = '\n';
  bool first_block_ = true;
};

void AddList(const fs::path& list, const ReadBlock& read, SourceList& found) {
  found.Begin(SourceList::Kind::kList, {});
  PathSplitter splitter(list, found);
  for (std::string block = read(); !block.empty(); block = read()) splitter.Take(block);
  splitter.Finish();
}

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

void AddListFile(const fs::path& list, const ReadBlock& standard_input, SourceList& found) {
  if (list == "-") return AddList("standard input", standard_input, found);
  if (!fs::exists(list)) throw UsageError("--list " + list.string() + ": no such file");
  if (fs::is_directory(list)) throw UsageError("--list " + list.string() + ": is a folder; --in takes those");
  const BlockFile file(list);
  AddList(
      list, [&] { return file.Next(); }, found);
}

void AddArchive(const fs::path& path, SourceList& found) {
  found.Begin(SourceList::Kind::kArchive, path);
  ListArchive(path, [&](const ArchiveMember& member) {
    if (member.refused) return found.AddRejected(member.name, member.refused->reason(), member.refused->what());
    found.Add(member.name, member.bytes, member.position);
  });
}

void AddInput(const fs::path& input, const ReadBlock& standard_input, SourceList& found) {
  if (input == "-") return AddListFile(input, standard_input, found);
  if (!fs::exists(input)) throw UsageError("--in " + input.string() + ": no such folder or file");
  if (fs::is_directory(input)) return AddFolder(input, found);
  if (LooksLikeAnArchive(input.native())) return AddArchive(input, found);
  if (!LooksLikeAPicture(input.native())) return AddListFile(input, standard_input, found);
  found.Begin(SourceList::Kind::kList, {});
  AddPath(input.native(), found);
}

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

bool LooksLikeAPicture(std::string_view name) {
  const std::size_t dot = name.rfind('.');
  if (dot == std::string_view::npos) return false;
  std::string extension(name.substr(dot));
  std::transform(extension.begin(), extension.end(), extension.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  const std::size_t slash = name.rfind('/');
  const bool hidden = dot == (slash == std::string_view::npos ? 0 : slash + 1);  // ".png" has no extension
  return !hidden && std::find(kPictureExtensions.begin(), kPictureExtensions.end(), extension) != kPictureExtensions.end();
}

SourceList FindSources(const std::vector<fs::path>& inputs, const std::vector<fs::path>& lists,
                       const ReadBlock& standard_input) {
  SourceList found;
  for (const fs::path& input : inputs) AddInput(input, standard_input, found);
  for (const fs::path& list : lists) AddListFile(list, standard_input, found);
  if (found.size() > 0) return found;
  throw DataError(inputs.empty() ? lists.at(0) : inputs[0], "holds no pictures (JPEG, PNG, WebP, GIF, BMP or TIFF)");
}

}  // namespace gan::preprocess
