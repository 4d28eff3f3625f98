#include "shard/file_digest.h"

#include <algorithm>
#include <cstddef>
#include <span>

#include "storage/checksum.h"
#include "storage/files.h"

namespace gan::shard {

FileDigest DigestOfFile(const std::filesystem::path& file) {
  // The pages are released block by block; otherwise a large file would count as memory of this process.
  constexpr std::size_t kBlock = std::size_t{8} << 20;
  const storage::MappedFile mapped(file);
  storage::Digest digest;
  for (std::span<const std::byte> rest = mapped.bytes(); !rest.empty();) {
    const std::span<const std::byte> block = rest.first(std::min(kBlock, rest.size()));
    digest.Update(block);
    mapped.ReleasePages(block);
    rest = rest.subspan(block.size());
  }
  mapped.RequireRead();
  return {.bytes = mapped.bytes().size(), .digest = digest.Text()};
}

}  // namespace gan::shard
