#include "shard/file_digest.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstddef>
#include <span>

#include "storage/checksum.h"
#include "storage/files.h"

namespace gan::shard {

FileDigest DigestOfFile(const std::filesystem::path& file) {
  constexpr std::size_t kBlock = std::size_t{8} << 20;
  const storage::MappedFile mapped(file);
  storage::Digest digest;
  for (std::span<const std::byte> rest = mapped.bytes(); !rest.empty();) {
    const std::span<const std::byte> block = rest.first(std::min(kBlock, rest.size()));
    digest.Update(block);
    // Mapped pages count as this process's until they are let go; they stay in the page cache.
    ::madvise(const_cast<std::byte*>(block.data()), block.size(), MADV_DONTNEED);
    rest = rest.subspan(block.size());
  }
  return {.bytes = mapped.bytes().size(), .digest = digest.Text()};
}

}  // namespace gan::shard
