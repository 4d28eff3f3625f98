// Pages of mapped files that the kernel cannot load, because the file was truncated or its storage failed. Reading one
// would end the process with SIGBUS. Instead such pages are replaced by zeros and counted, so that the reader can
// report which file is damaged.
#pragma once

#include <atomic>
#include <cstdint>

namespace gan::storage {

// One mapping of a file. It is owned by MappedFile, and part of the list that the signal handler searches.
struct MappedRegion {
  std::uintptr_t begin = 0;
  std::uintptr_t end = 0;
  std::atomic<std::uint64_t> lost_pages = 0;
  std::atomic<std::uint64_t> last_lost = 0;  // offset in the file of the newest unreadable page
  MappedRegion* previous = nullptr;          // guarded by the list's lock, as is `next`
  MappedRegion* next = nullptr;
};

// The first call installs the SIGBUS handler. Faults outside of registered mappings are passed to the previous handler.
void Watch(MappedRegion& region);
void Unwatch(MappedRegion& region);

}  // namespace gan::storage
