// Any bytes as an archive: members are listed and read, or refused, never a crash or an access outside; and a member's
// bytes are the same whether it is read after others or alone, which is what makes continued runs byte-identical.
#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>
#include <vector>

#include "preprocess/inputs/archive.h"

namespace {

using gan::preprocess::ArchiveMember;
using gan::preprocess::ArchiveReader;
using gan::preprocess::Rejected;

constexpr std::uint64_t kMostBytes = 1 << 20;  // keeps one input under a second
constexpr std::size_t kMostMembers = 8;

std::optional<std::vector<std::byte>> Read(ArchiveReader& reader, const ArchiveMember& member) {
  try {
    return reader.Read(member.position, member.bytes).bytes;
  } catch (const Rejected&) {
    return std::nullopt;
  }
}

// A file in memory that has a path.
class MemoryFile {
 public:
  MemoryFile(const std::uint8_t* data, std::size_t size) : descriptor_(::memfd_create("archive", MFD_CLOEXEC)) {
    if (descriptor_ < 0 || ::write(descriptor_, data, size) != static_cast<ssize_t>(size)) std::abort();
  }
  ~MemoryFile() { ::close(descriptor_); }
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;
  std::string path() const { return "/proc/self/fd/" + std::to_string(descriptor_); }

 private:
  int descriptor_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const MemoryFile file(data, size);
  std::vector<ArchiveMember> members;
  gan::preprocess::LeftOut left_out;
  const auto take = [&](const ArchiveMember& member) {
    if (!member.refused && member.bytes <= kMostBytes && members.size() < kMostMembers) members.push_back(member);
  };
  gan::preprocess::ListArchive(file.path(), take, left_out);
  ArchiveReader onwards(file.path());
  for (const ArchiveMember& member : members) {
    ArchiveReader alone(file.path());
    if (Read(onwards, member) != Read(alone, member)) std::abort();
  }
  return 0;
}
