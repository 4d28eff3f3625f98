#include "checkpoint/background.h"

#include <condition_variable>
#include <mutex>
#include <stdexcept>
#include <thread>
#include <utility>

namespace gan::checkpoint {

// The state that the saver and its thread share. The thread owns it as well, because it may outlive the saver.
struct BackgroundSaver::Shared {
  std::mutex mutex;  // guards everything here
  std::condition_variable changed;
  std::function<SaveResult()> work;  // set while a save waits for the thread or runs on it
  std::optional<Outcome> outcome;
  bool ending = false;

  // The mutex is not held while `work` runs, so that Poll() never waits for it. `work` stays set until its outcome is
  // there, so that busy() and Wait() can see that a save is in flight.
  void Serve() {
    std::unique_lock lock(mutex);
    while (true) {
      changed.wait(lock, [&] { return ending || work; });
      if (!work) return;
      lock.unlock();
      Outcome done;
      try {
        done.saved = work();
      } catch (...) {
        done.error = std::current_exception();
      }
      lock.lock();
      work = nullptr;
      outcome = std::move(done);
      changed.notify_all();
    }
  }
};

// The thread is detached, so that an unwinding destructor can leave it behind while it waits for ranks that never come.
BackgroundSaver::BackgroundSaver(bool has_peers)
    : shared_(std::make_shared<Shared>()), has_peers_(has_peers), exceptions_at_start_(std::uncaught_exceptions()) {
  std::thread([shared = shared_] { shared->Serve(); }).detach();
}

BackgroundSaver::~BackgroundSaver() {
  std::unique_lock lock(shared_->mutex);
  shared_->ending = true;
  shared_->changed.notify_all();
  // An exception unwinds the stack: the peers may be gone, and waiting for the work could last for ever.
  if (has_peers_ && std::uncaught_exceptions() != exceptions_at_start_) return;
  shared_->changed.wait(lock, [&] { return !shared_->work; });
}

void BackgroundSaver::Start(std::function<SaveResult()> work) {
  const std::lock_guard lock(shared_->mutex);
  // An outcome that has not been fetched counts as well, because a new save would discard the error of the earlier one.
  if (shared_->work || shared_->outcome) throw std::logic_error("a save is still in flight");
  shared_->work = std::move(work);
  shared_->changed.notify_all();
}

bool BackgroundSaver::busy() const {
  const std::lock_guard lock(shared_->mutex);
  return static_cast<bool>(shared_->work);
}

// Taking the outcome makes room for the next save.
std::optional<Outcome> BackgroundSaver::Poll() {
  const std::lock_guard lock(shared_->mutex);
  return std::exchange(shared_->outcome, std::nullopt);
}

std::optional<Outcome> BackgroundSaver::Wait() {
  std::unique_lock lock(shared_->mutex);
  shared_->changed.wait(lock, [&] { return !shared_->work; });
  return std::exchange(shared_->outcome, std::nullopt);
}

}  // namespace gan::checkpoint
