// Limits the memory of all pictures that are being processed.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <mutex>

namespace gan::preprocess {

// Thread-safe.
class MemoryBudget {
 public:
  explicit MemoryBudget(std::uint64_t bytes) : total_(bytes), free_(bytes) {}

 private:
  friend class MemoryLease;
  void Take(std::uint64_t bytes);
  void Give(std::uint64_t bytes);

  const std::uint64_t total_;
  std::mutex mutex_;
  std::condition_variable given_;
  std::uint64_t free_;  // under mutex_
};

// Asked by a decoder before it allocates anything large.
class Room {
 public:
  virtual ~Room() = default;
  virtual void ReserveMore(std::uint64_t bytes) = 0;  // blocks until `bytes` more are available
};

// One picture's share of the budget, returned by the destructor. Not thread-safe.
class MemoryLease : public Room {
 public:
  explicit MemoryLease(MemoryBudget& budget) : budget_(budget) {}
  ~MemoryLease() override { Reserve(0); }
  MemoryLease(const MemoryLease&) = delete;
  MemoryLease& operator=(const MemoryLease&) = delete;

  // Replaces the reserved bytes: blocks until `bytes` are available, or the whole budget if that is less. So a picture
  // that is larger than the budget is decoded alone. Nothing is reserved while it waits, so leases cannot wait for each
  // other.
  void Reserve(std::uint64_t bytes);
  void ReserveMore(std::uint64_t bytes) override { Reserve(held_ + bytes); }

 private:
  MemoryBudget& budget_;
  std::uint64_t held_ = 0;
};

}  // namespace gan::preprocess
