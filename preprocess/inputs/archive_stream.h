// Reads an archive from front to back, through libarchive. Internal to this folder.
#pragma once

#include <archive.h>
#include <archive_entry.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace gan::preprocess {

struct FreeArchive {
  void operator()(archive* a) const { ::archive_read_free(a); }
};

class GzipStream;

// Neither a folder nor a symbolic link nor a device.
bool IsRegular(archive_entry* entry);

enum class ArchiveFormats { kArchives, kRaw };  // kRaw: one compressed file, without names

// Reads an archive entry by entry. All calls throw Rejected for damage and IoError for errors that may pass.
class ArchiveStream {
 public:
  explicit ArchiveStream(std::filesystem::path file, ArchiveFormats formats = ArchiveFormats::kArchives);
  ~ArchiveStream();
  ArchiveStream(const ArchiveStream&) = delete;
  ArchiveStream& operator=(const ArchiveStream&) = delete;

  // Goes to the next entry. False at the end.
  bool Advance();
  archive_entry* entry() const { return entry_; }
  std::uint32_t next() const { return next_; }  // the position that Advance() goes to
  bool IsTar() const;
  // Whether the entry is a file with bytes of its own: not a link, device or folder.
  bool IsPlainFile() const;
  // The entry's path without a leading "./".
  std::string Name() const;
  // The first bytes of an entry; empty when they cannot be read.
  std::string Head() const;
  // Fills `room`; returns fewer bytes at the entry's end.
  std::size_t ReadSome(std::span<std::byte> room);
  // The contents of an entry of `bytes` bytes.
  std::vector<std::byte> Contents(std::uint64_t bytes);

 private:
  [[noreturn]] void ThrowDamage() const;
  std::int64_t EndOfEntry() const;
  bool HasEndMark() const;
  void RequireEndMark() const;
  void RequireChecksum();

  static la_ssize_t NextOfGzip(archive* a, void* stream, const void** block);

  std::filesystem::path path_;
  std::unique_ptr<GzipStream> gzip_;
  std::unique_ptr<archive, FreeArchive> handle_;
  archive_entry* entry_ = nullptr;
  std::uint32_t next_ = 0;
  std::int64_t end_of_entry_ = 0;
};

// Throws Rejected when `unpacked` bytes are far more than pictures can have that take `packed` bytes in the archive.
void RequireRatio(std::uint64_t unpacked, std::uint64_t packed);

bool LeavesTheArchive(std::string_view name);

}  // namespace gan::preprocess
