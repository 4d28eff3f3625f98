#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <exception>
#include <functional>
#include <mutex>
#include <thread>

namespace gan::run {

// A thread for work that training does not wait for. It computes with one thread at a low priority, so that its cost is
// bounded and its results do not depend on --threads. The owner's thread calls all members but Alive().
class Aside {
 public:
  Aside();
  // Ends the current work at its next call of Alive().
  ~Aside();
  Aside(const Aside&) = delete;
  Aside& operator=(const Aside&) = delete;

  // Appends work, which is done in this order. It must call Alive() from time to time, and must not catch its
  // exception.
  void Start(std::function<void()> work);
  // The work calls this to show that it continues. Throws when its result is no longer wanted.
  void Alive();

  enum class Found : std::uint8_t { kDone, kAlive, kSilent };
  // Waits until everything is done, but at most this long. kAlive: not done, with a sign of life since the last call;
  // kSilent: not done, without one.
  Found Wait(std::chrono::milliseconds most);
  // Waits until everything is done, and rethrows the first exception of the work.
  void Finish();
  // Ends the work without a result, and waits for that.
  void Drop();

 private:
  void Serve();

  std::atomic<bool> unwanted_{false};
  std::atomic<std::uint64_t> signs_{0};
  std::uint64_t seen_signs_ = 0;

  std::mutex mutex_;  // guards all members below
  std::condition_variable changed_;
  std::deque<std::function<void()>> work_;  // the first one is being done
  std::exception_ptr error_;
  bool ending_ = false;

  std::thread thread_;  // last: it uses all members above
};

}  // namespace gan::run
