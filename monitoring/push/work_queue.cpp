#include "monitoring/push/work_queue.h"

#include <utility>

#include "monitoring/background_thread.h"

namespace gan::monitoring {

using std::chrono::steady_clock;

WorkQueue::~WorkQueue() {
  Stop();
  if (thread_.joinable()) thread_.join();
}

void WorkQueue::Start(std::chrono::milliseconds every, Job regular) {
  every_ = every;
  regular_ = std::move(regular);
  const SignalsLeftToOthers signals;
  thread_ = std::thread([this] {
    LowerPriority();
    Work();
  });
}

void WorkQueue::Push(Job job) {
  {
    const std::lock_guard lock(mutex_);
    if (stopping_) return;
    jobs_.push_back(std::move(job));
    // The oldest job is dropped, because the newest says most about the present state.
    if (jobs_.size() > most_) {
      jobs_.pop_front();
      ++dropped_;
    }
  }
  changed_.notify_all();
}

bool WorkQueue::Drain(std::chrono::milliseconds patience) {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, patience, [this] { return jobs_.empty() && !busy_; });
}

void WorkQueue::Stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    jobs_.clear();
  }
  changed_.notify_all();
}

void WorkQueue::Pause(std::chrono::milliseconds time) {
  std::unique_lock lock(mutex_);
  // Interruptible, because a process that ends must not wait for the pause between two attempts.
  changed_.wait_for(lock, time, [this] { return stopping_.load(); });
}

// The lock is not held while a job runs.
void WorkQueue::Work() {
  auto due = steady_clock::now() + every_;
  std::unique_lock lock(mutex_);
  const auto has_work = [this] { return stopping_ || !jobs_.empty(); };
  while (true) {
    if (every_.count() == 0) {
      changed_.wait(lock, has_work);
    } else {
      changed_.wait_until(lock, due, has_work);
    }
    if (stopping_) return;
    Job job;
    if (!jobs_.empty()) {
      job = std::move(jobs_.front());
      jobs_.pop_front();
    } else if (every_.count() > 0 && steady_clock::now() >= due) {
      // Regular work runs only when no job waits, and its next time is set after it has begun, so a slow endpoint does
      // not make it pile up.
      job = regular_;
      due = steady_clock::now() + every_;
    }
    if (!job) continue;
    busy_ = true;
    lock.unlock();
    job();
    lock.lock();
    busy_ = false;
    changed_.notify_all();
  }
}

}  // namespace gan::monitoring
