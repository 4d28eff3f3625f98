#include "trainer/run/aside.h"

#include <sched.h>
#include <sys/resource.h>
#include <unistd.h>

#include <utility>

#include "trainer/run/openmp.h"

namespace gan::run {

namespace {

// At this priority the thread gets about a tenth of a core that training uses as well. With less, the work would not
// finish in time; with more, steps would become noticeably longer.
constexpr int kNice = 10;

// Thrown by Alive() when the result is no longer wanted. Not an error.
struct Unwanted {};

// On Linux both settings belong to the thread, not to the process. If they are refused, the work runs like any other
// thread.
void LowerPriority() {
  const sched_param none = {};
  // With SCHED_BATCH, a waking thread does not interrupt a computing one (sched(7)).
  ::sched_setscheduler(0, SCHED_BATCH, &none);
  ::setpriority(PRIO_PROCESS, static_cast<id_t>(::gettid()), kNice);
}

}  // namespace

Aside::Aside() : thread_([this] { Serve(); }) {}

Aside::~Aside() {
  Drop();
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void Aside::Start(std::function<void()> work) {
  {
    const std::lock_guard lock(mutex_);
    work_.push_back(std::move(work));
  }
  changed_.notify_all();
}

void Aside::Alive() {
  ++signs_;
  // The only place at which the work can be ended, because a thread cannot be stopped from outside without leaks.
  if (unwanted_) throw Unwanted();
}

Aside::Found Aside::Wait(std::chrono::milliseconds most) {
  std::unique_lock lock(mutex_);
  if (changed_.wait_for(lock, most, [&] { return work_.empty(); })) return Found::kDone;
  // The owner calls this at intervals. So it is enough to compare the number of signs of life with that of the previous
  // call.
  const std::uint64_t signs = signs_;
  return std::exchange(seen_signs_, signs) == signs ? Found::kSilent : Found::kAlive;
}

void Aside::Finish() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return work_.empty(); });
  if (error_) std::rethrow_exception(std::exchange(error_, nullptr));
}

void Aside::Drop() {
  unwanted_ = true;
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return work_.empty(); });
  error_ = nullptr;
  unwanted_ = false;
}

// The mutex is not held while the work runs, nor while it is destroyed.
void Aside::Serve() {
  LowerPriority();
  UseOneThread();
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [&] { return ending_ || !work_.empty(); });
    if (work_.empty()) return;
    std::function<void()> work = std::move(work_.front());
    std::exception_ptr error;
    lock.unlock();
    try {
      if (!unwanted_) work();
    } catch (const Unwanted&) {  // the owner has ended the work
    } catch (...) {
      error = std::current_exception();
    }
    work = nullptr;
    lock.lock();
    // The first error, because later work may fail only as a consequence.
    if (!error_) error_ = error;
    work_.pop_front();
    changed_.notify_all();
  }
}

}  // namespace gan::run
