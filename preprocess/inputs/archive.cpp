#include "preprocess/inputs/archive.h"

#include <archive.h>
#include <archive_entry.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <unordered_map>
#include <utility>

#include "preprocess/decode/formats.h"
#include "preprocess/inputs/content.h"
#include "preprocess/inputs/input_file.h"
#include "storage/errors.h"

namespace gan::preprocess {

namespace fs = std::filesystem;

namespace {

constexpr std::array<std::string_view, 12> kArchiveExtensions = {
    ".zip", ".7z", ".tar", ".tar.gz", ".tgz", ".tar.xz", ".txz", ".tar.bz2", ".tbz2", ".tbz", ".tar.zst", ".tzst"};
constexpr std::size_t kReadAhead = std::size_t{1} << 18;
constexpr std::int64_t kTarBlock = 512;
constexpr std::uint64_t kMaxRatio = 200;                       // pictures are compressed already
constexpr std::uint64_t kFreeBytes = std::uint64_t{64} << 20;  // a few plain BMPs may be over the ratio
constexpr std::uint64_t kMaxMemberBytes = std::uint64_t{1} << 30;

struct Free {
  void operator()(archive* a) const { ::archive_read_free(a); }
};
using Handle = std::unique_ptr<archive, Free>;

std::string ErrorOf(archive* a) {
  const char* text = ::archive_error_string(a);
  return text == nullptr ? "cannot be read" : text;
}

// For what the disk says now and may not say later, the archive cannot be blamed.
[[noreturn]] void ThrowDamage(archive* a, const fs::path& path) {
  if (MayPass(::archive_errno(a))) throw IoError(path, "read", ::archive_errno(a));
  const std::string error = ErrorOf(a);
  std::string lower = error;
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  const bool cut = lower.find("truncated") != std::string::npos || lower.find("end of file") != std::string::npos;
  throw Rejected(cut ? Reason::kTruncated : Reason::kCorrupt, "the archive is damaged here: " + error);
}

// "./cats/1.jpg" -> "cats/1.jpg". Names that this locale cannot spell come as UTF-8.
std::string NameOf(archive_entry* entry, std::uint32_t position) {
  const char* text = ::archive_entry_pathname(entry);
  if (text == nullptr) text = ::archive_entry_pathname_utf8(entry);
  std::string name = text == nullptr ? "entry-" + std::to_string(position) : text;
  while (name.starts_with("./")) name.erase(0, 2);
  return name;
}

bool LeavesTheArchive(std::string_view name) {
  if (name.starts_with('/')) return true;
  for (std::size_t at = 0; at <= name.size();) {
    const std::size_t slash = std::min(name.find('/', at), name.size());
    if (name.substr(at, slash - at) == "..") return true;
    at = slash + 1;
  }
  return false;
}

bool IsPlainFile(archive_entry* entry) {
  return ::archive_entry_filetype(entry) == AE_IFREG && ::archive_entry_hardlink(entry) == nullptr;
}

std::optional<Rejected> WhyRefused(archive_entry* entry, std::string_view name) {
  const auto unsupported = [](const char* why) { return Rejected(Reason::kUnsupported, why); };
  if (LeavesTheArchive(name)) return unsupported("its path leads out of the archive");
  if (::archive_entry_hardlink(entry) != nullptr) return std::nullopt;  // its target decides
  if (::archive_entry_filetype(entry) != AE_IFREG) return unsupported("a link or device inside an archive");
  if (::archive_entry_is_data_encrypted(entry) != 0) return unsupported("it is encrypted");
  if (::archive_entry_size_is_set(entry) == 0) return unsupported("the archive does not say how large it is");
  if (static_cast<std::uint64_t>(::archive_entry_size(entry)) > kMaxMemberBytes) {
    return Rejected(Reason::kTooLarge, "a file of over 1 GiB inside an archive");
  }
  return std::nullopt;
}

}  // namespace

// The archive from its beginning, entry after entry.
struct ArchiveStream {
  fs::path path;
  Handle handle;
  archive_entry* entry = nullptr;
  std::uint32_t next = 0;  // the position that Advance() goes to
  std::int64_t end_of_entry = 0;

  explicit ArchiveStream(fs::path file) : path(std::move(file)), handle(::archive_read_new()) {
    archive* a = handle.get();
    if (a == nullptr) throw std::bad_alloc();
    ::archive_read_support_format_tar(a);
    ::archive_read_support_format_zip(a);
    ::archive_read_support_format_7zip(a);
    ::archive_read_support_filter_gzip(a);
    ::archive_read_support_filter_xz(a);
    ::archive_read_support_filter_bzip2(a);
    ::archive_read_support_filter_zstd(a);
    if (::archive_read_open_filename(a, path.c_str(), kReadAhead) != ARCHIVE_OK) ThrowDamage(a, path);
  }

  // False at the end. Throws Rejected.
  bool Advance() {
    const int result = ::archive_read_next_header(handle.get(), &entry);
    if (result == ARCHIVE_EOF) {
      RequireEndMark();
      return false;
    }
    if (result != ARCHIVE_OK && result != ARCHIVE_WARN) ThrowDamage(handle.get(), path);
    ++next;
    end_of_entry = EndOfEntry();
    return true;
  }

  // Where the data of a tar's entry ends, counted without compression.
  std::int64_t EndOfEntry() const {
    const bool has_data = IsPlainFile(entry) && ::archive_entry_sparse_count(entry) == 0;
    const std::int64_t size = has_data ? ::archive_entry_size(entry) : 0;
    return ::archive_filter_bytes(handle.get(), 0) + (size + kTarBlock - 1) / kTarBlock * kTarBlock;
  }

  // A tar ends with blocks of zeros; libarchive takes one that just stops for whole.
  void RequireEndMark() const {
    if ((::archive_format(handle.get()) & ARCHIVE_FORMAT_BASE_MASK) != ARCHIVE_FORMAT_TAR) return;
    if (::archive_filter_bytes(handle.get(), 0) >= end_of_entry + kTarBlock) return;
    throw Rejected(Reason::kTruncated, "the archive stops here without a tar's end mark");
  }

  // The first bytes of an entry; empty where they cannot be read.
  std::string Head() const {
    std::string head(kRecognisedBytes, '\0');
    const la_ssize_t n = ::archive_read_data(handle.get(), head.data(), head.size());
    head.resize(static_cast<std::size_t>(std::max<la_ssize_t>(n, 0)));
    return head;
  }

  std::vector<std::byte> Contents(std::uint64_t bytes) {
    std::vector<std::byte> data(bytes);
    std::uint64_t done = 0;
    while (done < bytes) {
      const la_ssize_t n = ::archive_read_data(handle.get(), data.data() + done, bytes - done);
      if (n < 0) ThrowDamage(handle.get(), path);
      if (n == 0) throw Rejected(Reason::kTruncated, "it ends before the size that the archive gives");
      done += static_cast<std::uint64_t>(n);
    }
    std::byte beyond{};  // reading to the end also checks the member's checksum
    const la_ssize_t n = ::archive_read_data(handle.get(), &beyond, 1);
    if (n < 0) ThrowDamage(handle.get(), path);
    if (n > 0) throw Rejected(Reason::kCorrupt, "it is larger than the archive says");
    return data;
  }
};

bool LooksLikeAnArchive(std::string_view name) {
  std::string lower(name);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return std::any_of(kArchiveExtensions.begin(), kArchiveExtensions.end(),
                     [&](std::string_view e) { return lower.ends_with(e); });
}

namespace {

void RequireRatio(std::uint64_t unpacked, std::uint64_t packed) {
  if (unpacked <= kFreeBytes || (unpacked - kFreeBytes) / kMaxRatio <= packed) return;
  throw Rejected(Reason::kTooLarge,
                 "the archive claims to unpack to over 200 times its size; nothing more of it is read");
}

// Sorts what an archive lists into pictures, refused ones and the rest.
class Listing {
 public:
  Listing(const fs::path& path, const std::function<void(const ArchiveMember&)>& take, LeftOut& left_out)
      : stream_(path), packed_(fs::file_size(path)), take_(take), left_out_(left_out) {}

  void Run() {
    while (stream_.Advance()) {
      ArchiveMember member;
      member.position = stream_.next - 1;
      member.name = NameOf(stream_.entry, member.position);
      if (::archive_entry_size_is_set(stream_.entry) != 0) CountBytes(member);
      if (::archive_entry_filetype(stream_.entry) != AE_IFDIR) Take(std::move(member));
    }
  }

 private:
  // Where an earlier entry has its bytes. Names are kept as hashes: an archive may have millions of them.
  struct Place {
    std::uint64_t bytes;
    std::uint32_t position;
    bool is_picture;
  };

  void CountBytes(ArchiveMember& member) {
    member.bytes = static_cast<std::uint64_t>(::archive_entry_size(stream_.entry));
    unpacked_ += std::min(member.bytes, kFreeBytes * kMaxRatio);
    RequireRatio(unpacked_, packed_);
  }

  void Take(ArchiveMember member) {
    const bool hidden = !LeavesTheArchive(member.name) && HasHiddenPart(member.name);
    const Place* target = ::archive_entry_hardlink(stream_.entry) == nullptr ? nullptr : FindTarget();
    const bool is_picture = HasPictureExtension(member.name) || (target != nullptr && target->is_picture) ||
                            (IsPlainFile(stream_.entry) && IsPictureContent(stream_.Head()));
    if (IsPlainFile(stream_.entry)) {
      places_[std::hash<std::string>()(member.name)] = {member.bytes, member.position, is_picture};
    }
    if (hidden) return left_out_.Count(kHidden, member.name);
    if (!is_picture) return LeaveOut(member.name);
    member.refused = WhyRefused(stream_.entry, member.name);
    if (!member.refused && ::archive_entry_hardlink(stream_.entry) != nullptr) Follow(target, member);
    take_(member);
  }

  const Place* FindTarget() const {
    std::string name = ::archive_entry_hardlink(stream_.entry);
    while (name.starts_with("./")) name.erase(0, 2);
    const auto found = places_.find(std::hash<std::string>()(name));
    return found == places_.end() ? nullptr : &found->second;
  }

  static void Follow(const Place* target, ArchiveMember& member) {
    if (target == nullptr) {
      member.refused = Rejected(Reason::kUnsupported, "a hard link to what is not in the archive before it");
      return;
    }
    member.bytes = target->bytes;
    member.position = target->position;
    member.is_link = true;
    if (member.bytes > kMaxMemberBytes) {
      member.refused = Rejected(Reason::kTooLarge, "a file of over 1 GiB inside an archive");
    }
  }

  void LeaveOut(const std::string& name) {
    if (::archive_entry_filetype(stream_.entry) != AE_IFREG)
      return left_out_.Count("link or device in an archive", name);
    left_out_.CountByExtension(name);
  }

  ArchiveStream stream_;
  const std::uint64_t packed_;
  std::uint64_t unpacked_ = 0;
  const std::function<void(const ArchiveMember&)>& take_;
  LeftOut& left_out_;
  std::unordered_map<std::size_t, Place> places_;
};

}  // namespace

void ListArchive(const fs::path& path, const std::function<void(const ArchiveMember&)>& take, LeftOut& left_out) {
  try {
    Listing(path, take, left_out).Run();
  } catch (const Rejected& damage) {
    take({.name = path.filename().string(), .bytes = 0, .position = 0, .is_link = false, .refused = damage});
  } catch (const fs::filesystem_error& error) {
    take({.name = path.filename().string(),
          .bytes = 0,
          .position = 0,
          .is_link = false,
          .refused = Rejected(Reason::kUnreadable, error.what())});
  }
}

ArchiveReader::ArchiveReader(fs::path path) : path_(std::move(path)) {}
ArchiveReader::~ArchiveReader() = default;
ArchiveReader::ArchiveReader(ArchiveReader&&) noexcept = default;
ArchiveReader& ArchiveReader::operator=(ArchiveReader&&) noexcept = default;

std::vector<std::byte> ArchiveReader::Read(std::uint32_t position, std::uint64_t bytes) {
  try {
    if (!stream_ || stream_->next > position) stream_ = std::make_unique<ArchiveStream>(path_);
    while (stream_->next <= position) {
      if (!stream_->Advance()) throw Rejected(Reason::kUnreadable, "the archive has changed since it was listed");
    }
    return stream_->Contents(bytes);
  } catch (...) {
    stream_.reset();  // what comes next is read from a fresh start, as if this had not been tried
    throw;
  }
}

}  // namespace gan::preprocess
