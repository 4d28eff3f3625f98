#include "preprocess/inputs/folder.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <optional>
#include <system_error>
#include <utility>
#include <vector>

#include "preprocess/decode/formats.h"
#include "preprocess/inputs/content.h"
#include "preprocess/inputs/input_file.h"
#include "preprocess/inputs/label_files.h"
#include "storage/errors.h"

namespace gan::preprocess {

namespace fs = std::filesystem;

namespace {

using Identity = std::pair<dev_t, ino_t>;

std::string_view KindOfSpecial(fs::file_type type) {
  switch (type) {
    case fs::file_type::fifo:
      return "pipe";
    case fs::file_type::socket:
      return "socket";
    case fs::file_type::block:
    case fs::file_type::character:
      return "device";
    default:
      return "special file";
  }
}

class Walk {
 public:
  Walk(const fs::path& root, const OwnFiles& own, LabelFiles& labels, const MayHoldPictures& may_hold_pictures,
       SourceList& found)
      : root_(root), own_(own), labels_(labels), may_hold_pictures_(may_hold_pictures), found_(found) {
    // If the shards are written into the folder of the pictures or above it, only names can distinguish them.
    std::error_code error;
    has_own_folder_ = !own.folder.empty() && fs::exists(own.folder, error) && !IsAtOrAbove(own.folder, root);
  }

  void Begin() {
    std::error_code error;
    fs::directory_iterator entries(root_, error);
    if (error) throw IoError(root_, "list", error.value());
    Enter(root_, nullptr);
    // The first of contradicting rows counts, and file systems list files in different orders.
    std::sort(label_files_.begin(), label_files_.end());
    for (const std::string& name : label_files_) labels_.ReadFile(name);
  }

  // Containers count only in folders without pictures, because they often hold the same pictures in packed form.
  std::vector<std::string> Containers(std::uint64_t first) {
    for (std::uint64_t i = first; i < found_.size(); ++i) {
      if (found_.WhyRejected(i) != nullptr) continue;
      for (const std::string& name : containers_) {
        labels_.RequireNoTable(name);
        found_.left_out().CountByExtension(name);
      }
      return {};
    }
    std::sort(containers_.begin(), containers_.end());
    return std::move(containers_);
  }

 private:
  static bool IsAtOrAbove(const fs::path& folder, const fs::path& root) {
    std::error_code error;
    const fs::path inner = fs::canonical(root, error), outer = fs::canonical(folder, error);
    return std::mismatch(outer.begin(), outer.end(), inner.begin(), inner.end()).first == outer.end();
  }

  // The path below the root, as a suffix of the path as it was given. Calling the library for a relative path took most
  // of the time of a walk.
  std::string_view NameOf(const fs::path& path) const {
    const std::string_view whole = path.native();
    const std::size_t root = root_.native().size();
    return whole.size() <= root ? std::string_view() : whole.substr(whole[root] == '/' ? root + 1 : root);
  }

  // `all_are`: every file in the folder is left out as being of this kind. Null: each file is judged by itself.
  void Enter(const fs::path& folder, const std::string_view* all_are) {
    struct stat status = {};
    if (::stat(folder.c_str(), &status) != 0) return RejectFolder(folder, "entered", errno, all_are);
    const Identity identity(status.st_dev, status.st_ino);
    // Device and inode, because a link gives the same folder another path. Only the folders above are compared, so a
    // folder that is in two places is entered twice.
    if (std::find(above_.begin(), above_.end(), identity) != above_.end()) {
      return found_.left_out().Count("link to a folder that holds it", NameOf(folder));
    }
    if (all_are == nullptr && IsOwnFolder(folder)) all_are = &kOwnOutput;
    above_.push_back(identity);
    List(folder, all_are);
    above_.pop_back();
  }

  void List(const fs::path& folder, const std::string_view* all_are) {
    std::error_code error;
    fs::directory_iterator entry(folder, error);
    if (error) return RejectFolder(folder, "entered", error.value(), all_are);
    for (; entry != fs::directory_iterator(); entry.increment(error)) Take(*entry, all_are);
    if (error) RejectFolder(folder, "listed to its end", error.value(), all_are);
  }

  void RejectFolder(const fs::path& folder, const char* what, int error, const std::string_view* all_are) {
    if (all_are != nullptr) return found_.left_out().Count(*all_are, std::string(NameOf(folder)) + "/");
    found_.AddRejected(std::string(NameOf(folder)) + "/", Reason::kUnreadable,
                       std::string("the folder cannot be ") + what + ": " + std::generic_category().message(error));
  }

  bool IsOwnFolder(const fs::path& folder) const {
    std::error_code error;
    return has_own_folder_ && fs::equivalent(folder, own_.folder, error);
  }

  bool IsOwnFile(const fs::path& file) const {
    std::error_code error;
    return std::any_of(own_.files.begin(), own_.files.end(), [&](const fs::path& own) {
      return own.filename() == file.filename() && fs::equivalent(own, file, error);
    });
  }

  void Take(const fs::directory_entry& entry, const std::string_view* all_are) {
    const fs::path& path = entry.path();
    const std::string& whole = path.native();
    if (all_are == nullptr && IsHiddenName(std::string_view(whole).substr(whole.rfind('/') + 1))) all_are = &kHidden;
    std::error_code error;
    // These two calls ask the kernel only about links. A hidden folder is walked as well, so that its files are
    // counted.
    if (entry.is_directory(error)) return Enter(path, all_are);
    if (all_are != nullptr) return found_.left_out().Count(*all_are, NameOf(path));
    const bool is_file = entry.is_regular_file(error);
    if (is_file && IsOwnFile(path)) return found_.left_out().Count(kOwnOutput, NameOf(path));
    if (is_file) return TakeFile(entry);
    const fs::file_status status = entry.status(error);
    if (error || status.type() == fs::file_type::not_found) return TakeUnreachable(entry, error.value());
    found_.left_out().Count(KindOfSpecial(status.type()), NameOf(path));
  }

  // A link to nothing, or to a place that must not be read.
  void TakeUnreachable(const fs::directory_entry& entry, int error) {
    const std::string_view name = NameOf(entry.path());
    std::error_code no_link;
    const std::string target = fs::read_symlink(entry.path(), no_link).string();
    if (no_link || (error != 0 && error != ENOENT && error != ENOTDIR && error != ELOOP)) return found_.Add(name, 0);
    if (error == ELOOP) return found_.AddRejected(name, Reason::kUnreadable, "the link leads in a circle");
    const bool annexed = target.find(".git/annex/") != target.npos;
    found_.AddRejected(name, Reason::kUnreadable,
                       "the link leads to " + target + ", which is not there" +
                           (annexed ? " (git annex get or datalad get fetches it)" : ""));
  }

  void TakeFile(const fs::directory_entry& entry) {
    const std::string_view name = NameOf(entry.path());
    std::error_code unreadable;
    const std::uint64_t bytes = entry.file_size(unreadable);
    // Most files are decided here and are not opened.
    if (HasPictureExtension(name)) return found_.Add(name, unreadable ? 0 : bytes);
    const std::optional<std::string> head = Head(entry.path());
    if (!head || IsPictureContent(*head)) return found_.Add(name, unreadable ? 0 : bytes);
    if (labels_.Knows(name)) label_files_.emplace_back(name);
    if (may_hold_pictures_(name, *head)) return TakeContainer(name);
    found_.left_out().CountByExtension(name);
  }

  void TakeContainer(std::string_view name) { containers_.emplace_back(name); }

  // Empty when the file cannot be read. It may be a picture then, and reading it later will report why.
  static std::optional<std::string> Head(const fs::path& path) {
    try {
      return HeadOf(path);
    } catch (const IoError&) {
      return std::nullopt;
    }
  }

  const fs::path& root_;
  const OwnFiles& own_;
  LabelFiles& labels_;
  const MayHoldPictures& may_hold_pictures_;
  SourceList& found_;
  std::vector<std::string> label_files_, containers_;
  bool has_own_folder_ = false;
  std::vector<Identity> above_;
};

}  // namespace

std::vector<std::string> AddFolder(const fs::path& folder, const OwnFiles& own, LabelFiles& labels,
                                   const MayHoldPictures& may_hold_pictures, SourceList& found) {
  found.Begin(SourceList::Kind::kFolder, folder);
  const std::uint64_t first = found.size();
  Walk walk(folder, own, labels, may_hold_pictures, found);
  walk.Begin();
  // Sorted by name, since the order of a directory differs from one file system to another.
  found.SortFrom(first);
  return walk.Containers(first);
}

}  // namespace gan::preprocess
