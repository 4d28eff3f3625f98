#pragma once

#include <c10/core/Event.h>
#include <torch/torch.h>

#include <chrono>
#include <condition_variable>
#include <deque>
#include <exception>
#include <mutex>
#include <optional>
#include <thread>

#include "trainer/step/step_plan.h"

namespace gan::run {

// Has the next batches ready on a GPU while it trains: a thread of its own makes them, on a stream of its own. On a CPU
// the same without streams. One thread calls Next(); errors of `make` are rethrown there, after the batches before
// them.
class DeviceFeed {
 public:
  // `make` is called in the thread, in order, with the stream current.
  DeviceFeed(torch::Device device, step::BatchSource make);
  ~DeviceFeed();
  DeviceFeed(const DeviceFeed&) = delete;
  DeviceFeed& operator=(const DeviceFeed&) = delete;

  // What the caller queues from now on waits for the batch's copies.
  step::Batch Next();
  double wait_seconds() const;  // that Next() has taken in all

 private:
  struct Ready {
    step::Batch batch;
    std::optional<c10::Event> copied;
  };
  void Produce();
  Ready Make() const;

  const torch::Device device_;
  const step::BatchSource make_;
  std::chrono::steady_clock::duration waited_{};

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Ready> ready_;   // guarded by mutex_, like the two that follow
  std::exception_ptr error_;  // no more batches come
  bool stopped_ = false;

  std::thread thread_;
};

}  // namespace gan::run
