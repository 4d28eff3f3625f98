// Pages of mapped files that the kernel could not bring: the file has become shorter, or its storage failed. Reading
// them would end the process (SIGBUS). They are replaced by zeros and counted instead, so that whoever reads can tell
// which file is at fault.
#pragma once

#include <atomic>
#include <cstdint>

namespace gan::storage {

// One mapping. Owned by MappedFile, and linked into the list that the signal's handler searches.
struct MappedRegion {
  std::uintptr_t begin = 0;
  std::uintptr_t end = 0;
  std::atomic<std::uint64_t> lost_pages = 0;
  std::atomic<std::uint64_t> last_lost = 0;  // offset in the file of the page that was lost last
  MappedRegion* previous = nullptr;          // guarded by the list's lock
  MappedRegion* next = nullptr;              // the same
};

// The first call installs the handler of SIGBUS; whatever handled it before still gets what is no page of ours.
void Watch(MappedRegion& region);
void Unwatch(MappedRegion& region);

}  // namespace gan::storage
