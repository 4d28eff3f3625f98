#include "storage/files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>
#include <vector>

#include "storage/closer.h"
#include "storage/counted.h"
#include "storage/errors.h"
#include "storage/warnings.h"

namespace gan::storage {

namespace fs = std::filesystem;

namespace {

// checkpoint/folder.cpp searches for this mark too, to recognise leftovers of a killed save.
constexpr std::string_view kTemporaryMark = ".tmp-";

// Calls write(2) until everything is written. A short write is continued; an error is final.
void WriteAll(int descriptor, std::span<const std::byte> data, std::uint64_t offset, const fs::path& path) {
  while (!data.empty()) {
    const ssize_t n = ::pwrite(descriptor, data.data(), data.size(), static_cast<off_t>(offset));
    if (n < 0 && errno == EINTR) continue;
    // Returning 0 for a nonempty request means that nothing fits any more.
    if (n <= 0) throw IoError(path, "write", n == 0 ? ENOSPC : errno);
    data = data.subspan(static_cast<std::size_t>(n));
    offset += static_cast<std::uint64_t>(n);
  }
}

fs::path FolderOf(const fs::path& path) { return path.has_parent_path() ? path.parent_path() : fs::path("."); }

}  // namespace

// O_EXCL and O_NOFOLLOW: never writes to a file or link that another user has put there.
AtomicFile::AtomicFile(fs::path path) : path_(std::move(path)) {
  temporary_ = path_;
  temporary_ += std::string(kTemporaryMark) + std::to_string(::getpid());
  ::unlink(temporary_.c_str());  // left by an earlier process with the same number
  descriptor_ = ::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
  if (descriptor_ < 0) throw IoError(temporary_, "open", errno);
}

AtomicFile::~AtomicFile() {
  if (descriptor_ >= 0) ::close(descriptor_);
  if (!temporary_.empty()) ::unlink(temporary_.c_str());
}

void AtomicFile::Append(std::span<const std::byte> data) {
  WriteAll(descriptor_, data, size_, temporary_);
  size_ += data.size();
}

void AtomicFile::Append(std::string_view text) { Append(std::as_bytes(std::span(text.data(), text.size()))); }

void AtomicFile::WriteAt(std::uint64_t offset, std::span<const std::byte> data) {
  WriteAll(descriptor_, data, offset, temporary_);
}

// No step is repeated after an error. The kernel drops the failed pages after it has reported them once, so a second
// fsync would succeed although the data is lost.
void AtomicFile::Commit() {
  // fsync before rename: otherwise a crash could leave the new name with incomplete content.
  if (::fsync(descriptor_) != 0) throw IoError(temporary_, "fsync", errno);
  if (::close(std::exchange(descriptor_, -1)) != 0) throw IoError(temporary_, "close", errno);
  // From here on the file is published, so the destructor must not remove it.
  if (::rename(temporary_.c_str(), path_.c_str()) != 0) throw IoError(path_, "rename", errno);
  temporary_.clear();
  SyncFolder(FolderOf(path_));
}

void RequireWritable(const std::string& flag, const fs::path& file) {
  const fs::path folder = FolderOf(file);
  const std::string named = flag + " " + file.string() + ": ";
  std::error_code ignored;  // if it cannot be examined, it counts as missing
  if (fs::is_directory(file, ignored)) throw UsageError(named + "is a folder; name a file in it");
  if (!fs::is_directory(folder, ignored)) throw UsageError(named + folder.string() + " is no folder");
  // The rename of AtomicFile replaces the file whatever its own mode is, so only the folder's permissions matter.
  if (::access(folder.c_str(), W_OK | X_OK) != 0) {
    throw UsageError(named + folder.string() + ": " + std::generic_category().message(errno));
  }
}

void WriteFileAtomically(const fs::path& path, std::string_view text) {
  AtomicFile file(path);
  file.Append(text);
  file.Commit();
}

std::string ReadFile(const fs::path& path, std::uint64_t max_bytes) {
  // O_NONBLOCK: a pipe is rejected instead of waited for.
  const Closer file{::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC)};
  struct stat status = {};
  if (file.descriptor < 0 || ::fstat(file.descriptor, &status) != 0) throw IoError(path, "open", errno);
  if (!S_ISREG(status.st_mode)) throw DataError(path, "is not a regular file");
  const auto size = static_cast<std::uint64_t>(status.st_size);
  if (size > max_bytes) throw DataError(path, "has " + storage::Counted(size, "byte") + ", too many");
  std::string text(size, '\0');
  // The size was read before; a file that another process truncates meanwhile is reported and not padded.
  std::size_t done = 0;
  while (done < text.size()) {
    const ssize_t n = ::read(file.descriptor, text.data() + done, text.size() - done);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) throw IoError(path, "read", errno);
    if (n == 0) throw DataError(path, done, "ended while it was read");
    done += static_cast<std::size_t>(n);
  }
  return text;
}

fs::path FreeName(const fs::path& wanted) {
  fs::path name = wanted;
  // symlink_status also finds dangling links, which exists() alone would report as absent.
  // Nothing keeps the name free until the caller renames to it. All callers hold the lock of their run.
  for (int i = 1; fs::exists(fs::symlink_status(name)); ++i) name = wanted.string() + "-" + std::to_string(i);
  return name;
}

void SyncFolder(const fs::path& folder) {
  const Closer file{::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  if (file.descriptor < 0) throw IoError(folder, "open", errno);
  if (::fsync(file.descriptor) == 0) return;
  // These errors mean that the file system does not support fsync on folders; any other error is a real failure.
  if (errno != EINVAL && errno != EOPNOTSUPP && errno != ENOSYS) throw IoError(folder, "fsync", errno);
  WarnOnce("fsync of a folder", folder.string() + ": this file system cannot make a folder's names durable (fsync: " +
                                    std::generic_category().message(errno) +
                                    "); after a power cut the newest files may be missing");
}

bool MakeFolders(const fs::path& folder) {
  if (fs::is_directory(folder)) return false;
  // "runs/1/" has an empty last name and the parent "runs/1", which would be created as its own parent.
  const fs::path plain = folder.has_filename() ? folder : folder.parent_path();
  const fs::path parent = FolderOf(plain);
  if (!fs::exists(parent)) MakeFolders(parent);
  if (::mkdir(plain.c_str(), 0777) != 0) {
    // trainer/run/run_folder.cpp relies on this: of two jobs that want one number, only one gets `true`.
    if (errno == EEXIST) return false;  // another process has just created it
    throw IoError(plain, "mkdir", errno);
  }
  SyncFolder(parent);
  return true;
}

// Only regular files: a folder or link with such a name is not ours.
void RemoveTemporaries(const fs::path& folder) {
  std::vector<fs::path> leftovers;
  for (const auto& entry : fs::directory_iterator(folder)) {
    const bool temporary = entry.path().filename().string().find(kTemporaryMark) != std::string::npos;
    if (temporary && entry.symlink_status().type() == fs::file_type::regular) leftovers.push_back(entry.path());
  }
  // Collected first: whether an iterator shows entries after one was removed is not specified.
  for (const fs::path& path : leftovers) fs::remove(path);
}

}  // namespace gan::storage
