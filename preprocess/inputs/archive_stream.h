// An archive from front to back, through libarchive. Internal to this folder.
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

// No folder, symbolic link or device.
bool IsRegular(archive_entry* entry);

enum class ArchiveFormats { kArchives, kRaw };  // kRaw: one compressed file, without names

// Entry after entry. All calls throw Rejected for damage and IoError for what may pass.
class ArchiveStream {
 public:
  explicit ArchiveStream(std::filesystem::path file, ArchiveFormats formats = ArchiveFormats::kArchives);
  ~ArchiveStream();
  ArchiveStream(const ArchiveStream&) = delete;
  ArchiveStream& operator=(const ArchiveStream&) = delete;

  // False at the end.
  bool Advance();
  archive_entry* entry() const { return entry_; }
  std::uint32_t next() const { return next_; }  // the position that Advance() goes to
  bool IsTar() const;
  // A file with bytes of its own: no link, device or folder.
  bool IsPlainFile() const;
  // The entry's path without "./" in front.
  std::string Name() const;
  // The first bytes of an entry; empty where they cannot be read.
  std::string Head() const;
  // Fewer at the entry's end.
  std::size_t ReadSome(std::span<std::byte> room);
  // All of an entry that has `bytes` bytes.
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

// Throws Rejected when `unpacked` bytes are far more than pictures of `packed` bytes can be.
void RequireRatio(std::uint64_t unpacked, std::uint64_t packed);

bool LeavesTheArchive(std::string_view name);

}  // namespace gan::preprocess
