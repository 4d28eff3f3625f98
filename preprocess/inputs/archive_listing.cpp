#include <algorithm>
#include <span>
#include <unordered_map>
#include <utility>

#include "preprocess/decode/formats.h"
#include "preprocess/inputs/archive.h"
#include "preprocess/inputs/archive_stream.h"
#include "preprocess/inputs/content.h"
#include "preprocess/inputs/path_text.h"
#include "storage/errors.h"

namespace gan::preprocess {

namespace fs = std::filesystem;

namespace {

constexpr std::uint64_t kMostCounted = std::uint64_t{1} << 34;  // per member, so that no sum wraps around
constexpr std::uint64_t kMaxMemberBytes = std::uint64_t{1} << 30;
constexpr std::size_t kTextBlock = std::size_t{1} << 16;

std::optional<Rejected> WhyRefused(archive_entry* entry, std::string_view name) {
  const auto unsupported = [](const char* why) { return Rejected(Reason::kUnsupported, why); };
  // Checked before links, so that no link can give a picture such a name.
  if (LeavesTheArchive(name)) return unsupported("its path leads out of the archive");
  if (::archive_entry_hardlink(entry) != nullptr) return std::nullopt;  // the link's target decides
  if (!IsRegular(entry)) return unsupported("a link or device inside an archive");
  if (::archive_entry_is_data_encrypted(entry) != 0) return unsupported("it is encrypted");
  if (::archive_entry_size_is_set(entry) == 0) return unsupported("the archive does not say how large it is");
  if (static_cast<std::uint64_t>(::archive_entry_size(entry)) > kMaxMemberBytes) {
    return Rejected(Reason::kTooLarge, "a file of over 1 GiB inside an archive");
  }
  return std::nullopt;
}

// Sorts the entries of an archive into pictures, refused ones and the rest. The listing is a pass of its own, because
// the number and the names of all inputs must be known before the first shard. A second pass reads the pictures
// (ArchiveReader).
class Listing {
 public:
  Listing(const fs::path& path, const std::function<void(const ArchiveMember&)>& take, LeftOut& left_out,
          OtherMembers* others)
      : path_(path), stream_(path), packed_(fs::file_size(path)), take_(take), left_out_(left_out), others_(others) {}

  void Run() {
    while (stream_.Advance()) {
      ArchiveMember member;
      member.position = stream_.next() - 1;
      member.name = stream_.Name();
      member.modified = ::archive_entry_mtime(stream_.entry());
      if (::archive_entry_size_is_set(stream_.entry()) != 0) CountBytes(member);
      if (::archive_entry_filetype(stream_.entry()) != AE_IFDIR) Take(std::move(member));
    }
  }

 private:
  // The place of an earlier entry's bytes. Names are kept as hashes, because an archive may have millions of them.
  struct Place {
    std::uint64_t bytes;
    std::uint32_t position;
    bool is_picture;
  };

  void CountBytes(ArchiveMember& member) {
    // The size in the header counts, so that a bomb is refused before it is unpacked.
    member.bytes = static_cast<std::uint64_t>(::archive_entry_size(stream_.entry()));
    unpacked_ += std::min(member.bytes, kMostCounted);
    RequireRatio(unpacked_, packed_);
  }

  void Take(ArchiveMember member) {
    const bool hidden = !LeavesTheArchive(member.name) && HasHiddenPart(member.name);
    const Place* target = ::archive_entry_hardlink(stream_.entry()) == nullptr ? nullptr : FindTarget();
    bool is_picture = HasPictureExtension(member.name) || (target != nullptr && target->is_picture);
    // The beginning is read only when the name is not that of a picture, because that means unpacking.
    const std::string head = !is_picture && stream_.IsPlainFile() ? stream_.Head() : std::string();
    is_picture = is_picture || IsPictureContent(head);
    // Remembers also an entry that is hidden or not a picture, because a hard link may lead to it.
    if (stream_.IsPlainFile()) {
      places_[std::hash<std::string>()(member.name)] = {member.bytes, member.position, is_picture};
    }
    if (hidden) return left_out_.Count(kHidden, member.name);
    if (!is_picture) return TakeOther(member, head);
    member.refused = WhyRefused(stream_.entry(), member.name);
    if (!member.refused && ::archive_entry_hardlink(stream_.entry()) != nullptr) Follow(target, member);
    // Some archivers write a link to a link.
    if (member.is_link && !member.refused) {
      places_[std::hash<std::string>()(member.name)] = {member.bytes, member.position, true};
    }
    take_(member);
  }

  const Place* FindTarget() const {
    std::string name = ::archive_entry_hardlink(stream_.entry());
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

  void TakeOther(const ArchiveMember& member, std::string_view head) {
    if (!IsRegular(stream_.entry())) {
      return left_out_.Count("link or device in an archive", member.name);
    }
    const bool is_told = stream_.IsPlainFile() && others_ != nullptr;
    const OtherMembers::Wish wish = is_told ? others_->Wants(member, head) : OtherMembers::Wish::kNone;
    if (wish == OtherMembers::Wish::kTake) return;
    if (wish == OtherMembers::Wish::kText) others_->TakeText(member, TextOf(member, head));
    left_out_.CountByExtension(member.name);
  }

  std::string TextOf(const ArchiveMember& member, std::string_view head) {
    // The bytes of the head cannot be read again.
    std::string text(head);
    for (std::size_t got = head.size(); got > 0 && text.size() <= kMaxTextBytes;) {
      const std::size_t before = text.size();
      text.resize(before + kTextBlock);
      got = stream_.ReadSome(std::as_writable_bytes(std::span(text)).subspan(before));
      text.resize(before + got);
    }
    if (text.size() > kMaxTextBytes) throw DataError(path_ / member.name, "a text of over 256 MiB");
    return text;
  }

  const fs::path& path_;
  ArchiveStream stream_;
  const std::uint64_t packed_;
  std::uint64_t unpacked_ = 0;
  const std::function<void(const ArchiveMember&)>& take_;
  LeftOut& left_out_;
  OtherMembers* const others_;
  std::unordered_map<std::size_t, Place> places_;
};

}  // namespace

void ListArchive(const fs::path& path, const std::function<void(const ArchiveMember&)>& take, LeftOut& left_out,
                 OtherMembers* others) {
  try {
    Listing(path, take, left_out, others).Run();
  } catch (const Rejected& damage) {
    take({.name = path.filename().string(),
          .bytes = 0,
          .position = 0,
          .modified = 0,
          .is_link = false,
          .refused = damage});
  } catch (const fs::filesystem_error& error) {
    take({.name = path.filename().string(),
          .bytes = 0,
          .position = 0,
          .modified = 0,
          .is_link = false,
          .refused = Rejected(Reason::kUnreadable, error.what())});
  }
}

}  // namespace gan::preprocess
