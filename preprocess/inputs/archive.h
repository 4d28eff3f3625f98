// Pictures inside .zip, .7z and tars, compressed or not, through libarchive. Nothing is ever unpacked to disk.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "preprocess/image/rejected.h"
#include "preprocess/inputs/container.h"
#include "preprocess/inputs/left_out.h"

namespace gan::preprocess {

struct ArchiveMember {
  std::string name;
  std::uint64_t bytes = 0;
  std::uint32_t position = 0;       // of its bytes, among all entries of the archive
  std::int64_t modified = 0;        // Unix seconds
  bool is_link = false;             // a hard link: its bytes are those of an entry before it
  std::optional<Rejected> refused;  // a link, a device, a path that leaves the archive, or damage from here on
};

bool LooksLikeAnArchive(std::string_view name);  // by its extension

// Receives the members of an archive that are not pictures.
class OtherMembers {
 public:
  virtual ~OtherMembers() = default;
  // Says what the listing does with a member; `head` is its beginning. kText: it calls TakeText() with the contents.
  // kTake: it does not count the member, because the caller will.
  enum class Wish { kNone, kText, kTake };
  virtual Wish Wants(const ArchiveMember& member, std::string_view head) = 0;
  virtual void TakeText(const ArchiveMember& member, std::string text) = 0;

 protected:
  OtherMembers() = default;
  OtherMembers(const OtherMembers&) = default;
  OtherMembers& operator=(const OtherMembers&) = default;
};

// Calls `take` for every entry whose name or content is that of a picture, in the archive's order. Other entries are
// counted in `left_out`, and the plain files among them are passed to `others`. If an archive is damaged, or claims to
// unpack to over 200 times its size, one last refused member has the archive's own name and the reason. Throws IoError
// when the archive cannot be read for a reason that may pass, DataError when a wanted text is over 256 MiB,
// std::bad_alloc, and everything that `take` and `others` throw.
void ListArchive(const std::filesystem::path& path, const std::function<void(const ArchiveMember&)>& take,
                 LeftOut& left_out, OtherMembers* others = nullptr);

class ArchiveStream;

// The contents of members.
class ArchiveReader : public ContainerReader {
 public:
  explicit ArchiveReader(std::filesystem::path path);
  ~ArchiveReader() override;

  Contents Read(std::uint32_t position, std::uint64_t bytes) override;

 private:
  std::filesystem::path path_;
  std::unique_ptr<ArchiveStream> stream_;
};

}  // namespace gan::preprocess
