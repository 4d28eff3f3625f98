#include "trainer/run/device_feed.h"

#include <c10/core/StreamGuard.h>
#include <c10/core/impl/VirtualGuardImpl.h>

#include <utility>

#include "trainer/run/openmp.h"
#include "trainer/step/device_work.h"

namespace gan::run {

namespace {

constexpr std::size_t kAhead = 2;  // batches prepared in advance

}  // namespace

DeviceFeed::DeviceFeed(torch::Device device, step::BatchSource make) : device_(device), make_(std::move(make)) {
  thread_ = std::thread([this] { Produce(); });
}

// The thread may wait for room or be inside `make`; it ends after the present batch.
DeviceFeed::~DeviceFeed() {
  {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void DeviceFeed::Produce() try {
  // OpenMP's settings belong to a thread, and this one computes on the CPU before it copies.
  AllowWholeRegions();
  const torch::NoGradGuard no_grad;
  std::optional<c10::StreamGuard> own_stream;  // a new thread begins on the default stream of the first GPU
  if (!device_.is_cpu()) {
    own_stream.emplace(c10::impl::VirtualGuardImpl(device_.type()).getStreamFromGlobalPool(device_));
  }
  while (true) {
    Ready next = Make();
    std::unique_lock lock(mutex_);
    // Made before waiting for room, so that a batch is ready as soon as there is room.
    changed_.wait(lock, [this] { return stopped_ || ready_.size() < kAhead; });
    if (stopped_) return;
    ready_.push_back(std::move(next));
    changed_.notify_all();
  }
} catch (...) {
  const std::lock_guard lock(mutex_);
  error_ = std::current_exception();
  changed_.notify_all();
}

DeviceFeed::Ready DeviceFeed::Make() const {
  Ready ready{.batch = make_(), .copied = {}};
  if (!device_.is_cpu()) ready.copied.emplace(device_.type()).record(step::CurrentStream(device_));
  return ready;
}

// The GPU waits for the copies, not the calling thread.
step::Batch DeviceFeed::Next() {
  const auto start = std::chrono::steady_clock::now();
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return !ready_.empty() || error_ != nullptr; });
  waited_ += std::chrono::steady_clock::now() - start;
  // Batches that were made before the error are still returned.
  if (ready_.empty()) std::rethrow_exception(error_);
  Ready ready = std::move(ready_.front());
  ready_.pop_front();
  lock.unlock();
  changed_.notify_all();
  if (ready.copied) {
    const c10::Stream stream = step::CurrentStream(device_);
    ready.copied->block(stream);
    // The memory was allocated on the feed's stream. It must not be reused there before this stream has finished with
    // it.
    for (torch::Tensor* tensor : ready.batch.Tensors()) {
      if (tensor->defined()) tensor->record_stream(stream);
    }
  }
  return std::move(ready.batch);
}

double DeviceFeed::wait_seconds() const { return std::chrono::duration<double>(waited_).count(); }

}  // namespace gan::run
