// Work queued on a GPU, without CUDA's headers: the same code on a CPU, where nothing is queued.
#pragma once

#include <c10/core/Event.h>
#include <c10/core/Stream.h>
#include <torch/torch.h>

#include <chrono>
#include <optional>

namespace gan::step {

// The stream that this thread's operations on `device` go to. `device` is no CPU.
c10::Stream CurrentStream(torch::Device device);

// A copy of `host` on `device`, queued from page-locked memory: the caller does not wait for what was queued before it.
// On a CPU `host` itself.
torch::Tensor ToDevice(const torch::Tensor& host, torch::Device device);

// A point in a device's work: on a CPU now, on a GPU when what this thread has queued so far is done. Not copyable.
class Moment {
 public:
  explicit Moment(torch::Device device);
  // In seconds. On a GPU both moments must have come: after a copy to the host that was queued after both.
  double Until(const Moment& later) const;

 private:
  std::chrono::steady_clock::time_point time_;
  std::optional<c10::Event> event_;
};

}  // namespace gan::step
