// Work that must never delay the caller. Its own thread does it in order.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>

namespace gan::monitoring {

// Thread-safe. Jobs must not throw.
class WorkQueue {
 public:
  using Job = std::function<void()>;

  // At most `most` jobs wait; then the one that has waited longest is dropped and counted.
  explicit WorkQueue(std::size_t most) : most_(most) {}
  ~WorkQueue();  // drops what still waits and waits for the job in progress, which should watch is_stopping()
  WorkQueue(const WorkQueue&) = delete;
  WorkQueue& operator=(const WorkQueue&) = delete;

  // Starts the thread. If `every` is not zero, `regular` is called on it at that interval.
  void Start(std::chrono::milliseconds every = std::chrono::milliseconds(0), Job regular = nullptr);
  // Takes a lock for a moment and never waits for a job.
  void Push(Job job);
  // Waits until no job is left, at most for `patience`. Returns whether none is left.
  bool Drain(std::chrono::milliseconds patience);
  // From now on jobs should end quickly, and Pause() returns at once.
  void Stop();
  bool is_stopping() const { return stopping_; }
  // For a job: sleeps for `time`, or until Stop() is called.
  void Pause(std::chrono::milliseconds time);
  std::uint64_t dropped() const { return dropped_; }

 private:
  void Work();

  const std::size_t most_;
  std::chrono::milliseconds every_{0};
  Job regular_;
  std::atomic<bool> stopping_{false};
  std::atomic<std::uint64_t> dropped_{0};
  std::mutex mutex_;  // guards all members below
  std::condition_variable changed_;
  std::deque<Job> jobs_;
  bool busy_ = false;
  std::thread thread_;  // last: it uses all members above
};

}  // namespace gan::monitoring
