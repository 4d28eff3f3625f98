#include "preprocess/image/memory_budget.h"

#include <algorithm>

namespace gan::preprocess {

void MemoryBudget::Take(std::uint64_t bytes) {
  std::unique_lock lock(mutex_);
  given_.wait(lock, [&] { return free_ >= bytes; });
  free_ -= bytes;
}

void MemoryBudget::Give(std::uint64_t bytes) {
  {
    const std::lock_guard lock(mutex_);
    free_ += bytes;
  }
  given_.notify_all();
}

void MemoryLease::Reserve(std::uint64_t bytes) {
  // A need beyond the budget would wait for ever, so it is limited: it then waits until nothing else is reserved.
  bytes = std::min(bytes, budget_.total_);
  if (bytes == held_) return;
  // The lease returns its memory before it asks for more. Two leases that each hold a part and wait for the rest would
  // wait for ever.
  budget_.Give(held_);
  held_ = 0;
  budget_.Take(bytes);
  held_ = bytes;
}

}  // namespace gan::preprocess
