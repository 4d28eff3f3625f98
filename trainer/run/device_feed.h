#pragma once

#include <c10/core/Event.h>
#include <torch/types.h>

#include <chrono>
#include <condition_variable>
#include <deque>
#include <exception>
#include <mutex>
#include <optional>
#include <thread>

#include "trainer/step/step_plan.h"

namespace gan::run {

// Prepares the next batches on a GPU while it trains: a separate thread makes them on a separate CUDA stream. On a CPU
// it works without streams. One thread calls Next(), which rethrows errors of `make` after it has returned all earlier
// batches.
class DeviceFeed {
 public:
  // `make` is called on the feed's thread, in order, with the feed's stream as the current one.
  DeviceFeed(torch::Device device, step::BatchSource make);
  ~DeviceFeed();
  DeviceFeed(const DeviceFeed&) = delete;
  DeviceFeed& operator=(const DeviceFeed&) = delete;

  // Returns the next batch. Work that the caller queues on the GPU afterwards waits for the batch's copies.
  step::Batch Next();
  double wait_seconds() const;  // total time that Next() has waited

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
  std::deque<Ready> ready_;   // guarded by mutex_, as are error_ and stopped_
  std::exception_ptr error_;  // set: there are no more batches
  bool stopped_ = false;

  std::thread thread_;
};

}  // namespace gan::run
