// Pictures inside .zip, .7z and .tar[.gz|.xz|.bz2|.zst], through libarchive. Nothing is ever unpacked to disk.
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
#include "preprocess/inputs/left_out.h"

namespace gan::preprocess {

struct ArchiveMember {
  std::string name;
  std::uint64_t bytes = 0;
  std::uint32_t position = 0;       // of its bytes among all entries of the archive
  bool is_link = false;             // a hard link: its bytes are those of an entry before it
  std::optional<Rejected> refused;  // a link, a device, a path that leaves the archive, damage from here on
};

bool LooksLikeAnArchive(std::string_view name);  // by its extension

// Every entry that is called like a picture or begins like one, in the archive's order; what is none is counted in
// `left_out`. Where an archive is damaged, or claims to unpack to over 200 times its size, one last refused member
// carries the archive's own name and the reason. Throws IoError when the archive cannot be read for a reason that may
// pass, else what `take` throws and std::bad_alloc.
void ListArchive(const std::filesystem::path& path, const std::function<void(const ArchiveMember&)>& take,
                 LeftOut& left_out);

struct ArchiveStream;

// The contents of members, cheapest in the archive's order. What a member's bytes are does not depend on what was read
// before. One thread at a time.
class ArchiveReader {
 public:
  explicit ArchiveReader(std::filesystem::path path);
  ~ArchiveReader();
  ArchiveReader(ArchiveReader&&) noexcept;
  ArchiveReader& operator=(ArchiveReader&&) noexcept;

  const std::filesystem::path& path() const { return path_; }
  // The `bytes` bytes of the member at `position`, both as listed. Throws Rejected; IoError for what may pass.
  std::vector<std::byte> Read(std::uint32_t position, std::uint64_t bytes);

 private:
  std::filesystem::path path_;
  std::unique_ptr<ArchiveStream> stream_;
};

}  // namespace gan::preprocess
