// Files that are either complete or absent. All files that the project keeps (shards, manifests, checkpoints, images)
// are written through these functions. The umask determines the file modes. No function follows a symbolic link in the
// last component of a path that it writes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace gan::storage {

// Writes `path` under a temporary name ("<name>.tmp-<pid>") and publishes it by rename. Not thread-safe.
// Errors: IoError from any call. A failed write, fsync or close is never retried: the temporary file is removed.
class AtomicFile {
 public:
  explicit AtomicFile(std::filesystem::path path);
  ~AtomicFile();  // removes the temporary file unless Commit() returned
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  void Append(std::span<const std::byte> data);
  void Append(std::string_view text);
  // Overwrites bytes that were already appended, such as a header whose content is known only at the end.
  void WriteAt(std::uint64_t offset, std::span<const std::byte> data);
  std::uint64_t size() const { return size_; }
  // fsync, close (checked), rename, fsync of the folder: when it returns, the file survives a crash of the machine.
  void Commit();

 private:
  std::filesystem::path path_;
  std::filesystem::path temporary_;
  int descriptor_ = -1;
  std::uint64_t size_ = 0;
};

void WriteFileAtomically(const std::filesystem::path& path, std::string_view text);
// The whole file; IoError when it cannot be read, DataError when it is larger than `max_bytes`.
std::string ReadFile(const std::filesystem::path& path, std::uint64_t max_bytes = std::uint64_t{1} << 30);
// For checks before long work: throws UsageError unless `file` could be written, that is unless its folder exists and
// takes new files, and `file` is no folder itself. `flag`: the beginning of the message.
void RequireWritable(const std::string& flag, const std::filesystem::path& file);
// fsync of a folder. When the file system does not support it, one warning is logged.
void SyncFolder(const std::filesystem::path& folder);
// Returns `wanted` or, when it exists, the first free name among "<wanted>-1", "<wanted>-2" and so on, so that renaming
// to it overwrites nothing.
std::filesystem::path FreeName(const std::filesystem::path& wanted);
// Creates `folder` and its missing parents. Every new name is durable when it returns. Returns true when it created
// any.
bool MakeFolders(const std::filesystem::path& folder);
// Removes the "*.tmp-*" files that killed processes left directly inside `folder`.
void RemoveTemporaries(const std::filesystem::path& folder);

struct MappedRegion;

// A file mapped read-only. Its pages are shared with the page cache. Safe to read from many threads. When the file
// system does not support mappings, the whole file is read into memory instead, with one warning.
//
// Pages that turn out to be unreadable, because the file was truncated or its storage failed, are read as zeros and
// counted. A reader must therefore call RequireRead() afterwards or compare a checksum.
class MappedFile {
 public:
  explicit MappedFile(const std::filesystem::path& path);
  ~MappedFile();
  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&& other) noexcept;
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  std::span<const std::byte> bytes() const { return {data_, size_}; }
  const std::filesystem::path& path() const { return path_; }

  std::uint64_t lost_pages() const;  // so far
  // Throws when pages could not be read: DataError when the file has become shorter, otherwise IoError.
  void RequireRead() const;
  // A hint to the kernel that changes no data: `part` may be unmapped, so that it does not count as memory of this
  // process. It stays in the page cache while memory is free.
  void ReleasePages(std::span<const std::byte> part) const;

 private:
  std::filesystem::path path_;
  const std::byte* data_ = nullptr;
  std::size_t size_ = 0;
  std::unique_ptr<MappedRegion> region_;  // null: no mapping
};

// Number of unreadable pages in all mapped files of this process so far. While it does not change, all data that was
// read is right.
std::uint64_t LostPages();

// A hint to the kernel that part of a mapped file will be read soon. It changes no byte.
void WillRead(std::span<const std::byte> mapped);

// An advisory lock on the file `name` in `folder`. It is held while the object lives, and the kernel releases it
// however the process ends. Throws UsageError naming the folder when another process holds it. When the file system has
// no locks, the file "<name>.held" with the host and process replaces the lock, with one warning. Such a file is taken
// over when its process ran on this host and is gone; one of another host counts as held.
class FolderLock {
 public:
  explicit FolderLock(const std::filesystem::path& folder, const std::string& name = ".lock");
  ~FolderLock();
  FolderLock(const FolderLock&) = delete;
  FolderLock& operator=(const FolderLock&) = delete;

 private:
  int descriptor_ = -1;
  std::filesystem::path held_;  // the file that replaces a lock; empty: there is none
};

}  // namespace gan::storage
