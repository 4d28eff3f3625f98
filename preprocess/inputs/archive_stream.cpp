#include "preprocess/inputs/archive_stream.h"

#include <locale.h>

#include <algorithm>
#include <array>
#include <new>
#include <utility>

#include "preprocess/decode/formats.h"
#include "preprocess/image/rejected.h"
#include "preprocess/inputs/content.h"
#include "preprocess/inputs/gzip_stream.h"
#include "preprocess/inputs/input_file.h"
#include "storage/errors.h"
#include "storage/lower.h"

namespace gan::preprocess {

namespace {

constexpr std::size_t kReadAhead = std::size_t{1} << 18;
constexpr std::int64_t kTarBlock = 512;
constexpr la_ssize_t kMostPadding = 64 << 20;
constexpr int kNoErrno = -1;              // libarchive's error number for damage
constexpr std::uint64_t kMaxRatio = 200;  // higher ratios are suspicious, because pictures are compressed already
constexpr std::uint64_t kFreeBytes = std::uint64_t{64} << 20;  // a few plain BMPs may be over the ratio

std::string ErrorOf(archive* a) {
  const char* text = ::archive_error_string(a);
  return text == nullptr ? "cannot be read" : text;
}

// libarchive returns names with characters outside ASCII only in a locale that can represent them, and the program runs
// in C's.
class Utf8Names {
 public:
  Utf8Names() : before_(::uselocale(Utf8())) {}
  ~Utf8Names() { ::uselocale(before_); }
  Utf8Names(const Utf8Names&) = delete;
  Utf8Names& operator=(const Utf8Names&) = delete;

 private:
  // Null, which changes nothing, when the machine has no such locale.
  static locale_t Utf8() {
    static const locale_t kUtf8 = ::newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr);
    return kUtf8;
  }

  const locale_t before_;
};

// A tar may consist of several, one after another.
void SupportArchives(archive* a) {
  ::archive_read_support_format_tar(a);
  ::archive_read_set_format_option(a, "tar", "read_concatenated_archives", "1");
  ::archive_read_support_format_zip(a);
  ::archive_read_support_format_7zip(a);
}

// Whether an error means that the archive ends too early.
bool IsCut(std::string_view error) {
  const std::string lower = storage::Lower(error);
  // The last text is liblzma's message when its input ends.
  constexpr std::array kOfTheEnd = {"truncated", "end of file", "no progress is possible"};
  return std::any_of(kOfTheEnd.begin(), kOfTheEnd.end(),
                     [&](const char* words) { return lower.find(words) != std::string::npos; });
}

// If the file cannot be opened, opening it as an archive will report why.
bool BeginsLikeGzip(const std::filesystem::path& file) {
  try {
    return IsGzip(HeadOf(file));
  } catch (const IoError&) {
    return false;
  }
}

}  // namespace

ArchiveStream::ArchiveStream(std::filesystem::path file, ArchiveFormats formats)
    : path_(std::move(file)), handle_(::archive_read_new()) {
  archive* a = handle_.get();
  if (a == nullptr) throw std::bad_alloc();
  if (formats == ArchiveFormats::kArchives) SupportArchives(a);
  if (formats == ArchiveFormats::kRaw) ::archive_read_support_format_raw(a);
  ::archive_read_support_filter_gzip(a);
  ::archive_read_support_filter_xz(a);
  ::archive_read_support_filter_bzip2(a);
  ::archive_read_support_filter_zstd(a);
  ::archive_read_support_filter_lz4(a);
  ::archive_read_support_filter_lzma(a);
  ::archive_read_support_filter_lzip(a);
  ::archive_read_support_filter_compress(a);
  // libarchive's own gzip filter reads no checksum and works in this thread (docs/decisions/0020). GzipStream's output
  // is unpacked, so that filter has nothing to do.
  if (BeginsLikeGzip(path_)) gzip_ = std::make_unique<GzipStream>(path_);
  const int result = gzip_ ? ::archive_read_open(a, this, nullptr, NextOfGzip, nullptr)
                           : ::archive_read_open_filename(a, path_.c_str(), kReadAhead);
  if (result != ARCHIVE_OK) ThrowDamage();
}

ArchiveStream::~ArchiveStream() = default;

la_ssize_t ArchiveStream::NextOfGzip(archive* a, void* stream, const void** block) {
  const GzipStream::Block& next = static_cast<ArchiveStream*>(stream)->gzip_->Next();
  // No bytes and no error tell libarchive that the file has ended.
  *block = next.bytes.data();
  if (!next.bytes.empty() || next.error.empty()) return static_cast<la_ssize_t>(next.bytes.size());
  ::archive_set_error(a, next.error_number == 0 ? kNoErrno : next.error_number, "%s", next.error.c_str());
  return ARCHIVE_FATAL;
}

// An error of the disk that may pass does not mean that the archive is damaged.
void ArchiveStream::ThrowDamage() const {
  archive* const a = handle_.get();
  if (MayPass(::archive_errno(a))) throw IoError(path_, "read", ::archive_errno(a));
  const std::string error = ErrorOf(a);
  throw Rejected(IsCut(error) ? Reason::kTruncated : Reason::kCorrupt, "the archive is damaged here: " + error);
}

bool ArchiveStream::Advance() {
  const Utf8Names names;
  const int result = ::archive_read_next_header(handle_.get(), &entry_);
  if (result == ARCHIVE_EOF || (result == ARCHIVE_FATAL && HasEndMark() && IsCut(ErrorOf(handle_.get())))) {
    RequireEndMark();
    RequireChecksum();
    return false;
  }
  if (result != ARCHIVE_OK && result != ARCHIVE_WARN) ThrowDamage();
  ++next_;
  // libarchive keeps a name once it has converted it, so these names are available in any locale from now on.
  ::archive_entry_pathname(entry_);
  ::archive_entry_hardlink(entry_);
  end_of_entry_ = EndOfEntry();
  return true;
}

bool ArchiveStream::IsTar() const {
  return (::archive_format(handle_.get()) & ARCHIVE_FORMAT_BASE_MASK) == ARCHIVE_FORMAT_TAR;
}

// The type may be missing: py7zr 0.20 writes permissions only.
bool IsRegular(archive_entry* entry) {
  const auto type = ::archive_entry_filetype(entry);
  return type == AE_IFREG || type == 0;
}

bool ArchiveStream::IsPlainFile() const { return IsRegular(entry_) && ::archive_entry_hardlink(entry_) == nullptr; }

// libarchive returns no name when it cannot represent the name. The entry is then named by its number.
std::string ArchiveStream::Name() const {
  const char* text = ::archive_entry_pathname(entry_);
  if (text == nullptr) text = ::archive_entry_pathname_utf8(entry_);
  std::string name = text == nullptr ? "entry-" + std::to_string(next_ - 1) : text;
  while (name.starts_with("./")) name.erase(0, 2);
  return name;
}

// The offset at which the data of a tar's entry ends, in the uncompressed tar.
std::int64_t ArchiveStream::EndOfEntry() const {
  // The data of a sparse file is shorter than its size, so for one only the header counts.
  const bool has_data = IsPlainFile() && ::archive_entry_sparse_count(entry_) == 0;
  const std::int64_t size = has_data ? ::archive_entry_size(entry_) : 0;
  return ::archive_filter_bytes(handle_.get(), 0) + (size + kTarBlock - 1) / kTarBlock * kTarBlock;
}

// A tar ends with blocks of zeros. Padding may follow, and its last block may be incomplete.
bool ArchiveStream::HasEndMark() const {
  return IsTar() && next_ > 0 && ::archive_filter_bytes(handle_.get(), 0) >= end_of_entry_ + kTarBlock;
}

// libarchive accepts a tar without its end mark.
void ArchiveStream::RequireEndMark() const {
  if (!IsTar() || ::archive_filter_bytes(handle_.get(), 0) >= end_of_entry_ + kTarBlock) return;
  throw Rejected(Reason::kTruncated, "the archive stops here without a tar's end mark");
}

// Gzip's checksum follows the padding of the tar, which libarchive does not read.
void ArchiveStream::RequireChecksum() {
  la_ssize_t n = gzip_ ? 1 : 0;
  for (la_ssize_t padding = 0; n > 0 && padding < kMostPadding; padding += n) {
    const void* block = nullptr;
    n = NextOfGzip(handle_.get(), this, &block);
  }
  if (n < 0) ThrowDamage();
}

std::string ArchiveStream::Head() const {
  std::string head(kRecognisedBytes, '\0');
  const la_ssize_t n = ::archive_read_data(handle_.get(), head.data(), head.size());
  // Damage to the archive is found again at the next entry, and reported then.
  head.resize(static_cast<std::size_t>(std::max<la_ssize_t>(n, 0)));
  return head;
}

std::size_t ArchiveStream::ReadSome(std::span<std::byte> room) {
  std::size_t done = 0;
  while (done < room.size()) {
    const la_ssize_t n = ::archive_read_data(handle_.get(), room.data() + done, room.size() - done);
    if (n < 0) ThrowDamage();
    if (n == 0) break;
    done += static_cast<std::size_t>(n);
  }
  return done;
}

std::vector<std::byte> ArchiveStream::Contents(std::uint64_t bytes) {
  std::vector<std::byte> data(bytes);
  if (ReadSome(data) < bytes) throw Rejected(Reason::kTruncated, "it ends before the size that the archive gives");
  std::byte beyond{};  // reading to the end also checks the member's checksum
  if (ReadSome({&beyond, 1}) > 0) throw Rejected(Reason::kCorrupt, "it is larger than the archive says");
  return data;
}

void RequireRatio(std::uint64_t unpacked, std::uint64_t packed) {
  if (unpacked <= kFreeBytes || (unpacked - kFreeBytes) / kMaxRatio <= packed) return;
  throw Rejected(Reason::kTooLarge,
                 "the archive claims to unpack to over 200 times its size; nothing more of it is read");
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

}  // namespace gan::preprocess
