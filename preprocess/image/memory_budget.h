// How much memory the pictures in flight may take together.
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

// Who is asked before a decoder allocates anything large.
class Room {
 public:
  virtual ~Room() = default;
  virtual void ReserveMore(std::uint64_t bytes) = 0;  // waits until so many bytes are to be had
};

// One picture's part of it, given back at the end. Not thread-safe.
class MemoryLease : public Room {
 public:
  explicit MemoryLease(MemoryBudget& budget) : budget_(budget) {}
  ~MemoryLease() override { Reserve(0); }
  MemoryLease(const MemoryLease&) = delete;
  MemoryLease& operator=(const MemoryLease&) = delete;

  // Waits until so many bytes are to be had, instead of those reserved before; all of the budget when that is less. So
  // a giant is decoded alone. While it waits nothing is held: leases cannot wait for each other.
  void Reserve(std::uint64_t bytes);
  void ReserveMore(std::uint64_t bytes) override { Reserve(held_ + bytes); }

 private:
  MemoryBudget& budget_;
  std::uint64_t held_ = 0;
};

}  // namespace gan::preprocess
