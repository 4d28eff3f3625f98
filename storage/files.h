// Files that are either whole or absent. Everything this project keeps (shards, manifests, checkpoints, images) goes
// through these few calls; the umask decides about modes. No call follows a symbolic link in the last component of a
// path it writes.
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
  // Overwrites bytes already appended (a header known only at the end).
  void WriteAt(std::uint64_t offset, std::span<const std::byte> data);
  std::uint64_t size() const { return size_; }
  // fsync, close (checked), rename, fsync of the folder: after this the file is there whatever happens.
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
// Where the file system cannot do that, a warning says so once.
void SyncFolder(const std::filesystem::path& folder);
// `wanted`, or where that is taken "<wanted>-1" and so on: the first that is free, so that setting aside loses nothing.
std::filesystem::path FreeName(const std::filesystem::path& wanted);
// Makes `folder` and its missing parents; every name made is on the disk when it returns. True when it made any.
bool MakeFolders(const std::filesystem::path& folder);
// Removes "*.tmp-*" leftovers of earlier, killed attempts directly inside `folder`.
void RemoveTemporaries(const std::filesystem::path& folder);

struct MappedRegion;

// A file mapped read-only. Pages are shared with the page cache; safe to read from many threads. Where the file system
// has no mappings the whole file is read into memory instead, with one warning.
//
// Pages that turn out to be unreadable, because the file has become shorter or its storage failed, read as zeros and
// are counted. So whoever is done reading asks RequireRead(), or holds the bytes against a checksum.
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
  // Throws when pages of it were lost: DataError when the file has become shorter, else IoError.
  void RequireRead() const;
  // A hint to the kernel, which changes no byte: what was read of `part` need not stay mapped, so that this process
  // does not seem to hold it (it stays in the page cache while there is room).
  void ReleasePages(std::span<const std::byte> part) const;

 private:
  std::filesystem::path path_;
  const std::byte* data_ = nullptr;
  std::size_t size_ = 0;
  std::unique_ptr<MappedRegion> region_;  // null: no mapping
};

// Pages that all mapped files of this process have lost so far. While it stays the same, what was read is right.
std::uint64_t LostPages();

// A hint to the kernel that part of a mapped file will be read soon. It changes no byte.
void WillRead(std::span<const std::byte> mapped);

// An advisory lock on the file `name` in `folder`, held while the object lives and released by the kernel however the
// process ends. Throws UsageError naming the folder when another process holds it. Where the file system has no locks,
// the file "<name>.held" with host and process stands in, with one warning: one of a process of this host that is gone
// is taken over, one of another host is believed.
class FolderLock {
 public:
  explicit FolderLock(const std::filesystem::path& folder, const std::string& name = ".lock");
  ~FolderLock();
  FolderLock(const FolderLock&) = delete;
  FolderLock& operator=(const FolderLock&) = delete;

 private:
  int descriptor_ = -1;
  std::filesystem::path held_;  // the file that stands in for a lock; empty: none does
};

}  // namespace gan::storage
