// Work queued on a GPU, without CUDA's headers. The same code runs on a CPU, where nothing is queued.
#pragma once

#include <c10/core/Event.h>
#include <c10/core/Stream.h>
#include <torch/types.h>

#include <chrono>
#include <optional>

namespace gan::step {

// The stream that receives this thread's operations on `device`, which must not be a CPU.
c10::Stream CurrentStream(torch::Device device);

// Gives this thread its own stream on `device`, which must not be a CPU, for the rest of its life. CUDA records no
// operations on the default stream, and autograd ties each parameter to the stream of its first use.
void LeaveDefaultStream(torch::Device device);

// A copy of `host` on `device`, queued from page-locked memory, so that the caller does not wait for earlier work. On a
// CPU, `host` itself.
torch::Tensor ToDevice(const torch::Tensor& host, torch::Device device);

// A point in time of a device's work: on a CPU the present, on a GPU the time at which the work queued so far by this
// thread is done. Not copyable.
class Moment {
 public:
  explicit Moment(torch::Device device);
  // The time between two moments in seconds. On a GPU both must have been reached, for example because a copy to the
  // host that was queued after both has finished.
  double Until(const Moment& later) const;

 private:
  std::chrono::steady_clock::time_point time_;
  std::optional<c10::Event> event_;
};

}  // namespace gan::step
