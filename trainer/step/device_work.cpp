#include "trainer/step/device_work.h"

#include <c10/core/impl/VirtualGuardImpl.h>

namespace gan::step {

c10::Stream CurrentStream(torch::Device device) { return c10::impl::VirtualGuardImpl(device.type()).getStream(device); }

void LeaveDefaultStream(torch::Device device) {
  const c10::impl::VirtualGuardImpl guard(device.type());
  guard.exchangeStream(guard.getStreamFromGlobalPool(device));
}

torch::Tensor ToDevice(const torch::Tensor& host, torch::Device device) {
  // From pageable memory the copy would wait until the GPU has reached it.
  return device.is_cpu() ? host : host.pin_memory().to(device, /*non_blocking=*/true);
}

Moment::Moment(torch::Device device) {
  if (device.is_cpu()) {
    time_ = std::chrono::steady_clock::now();
  } else {
    event_.emplace(device.type(), c10::EventFlag::BACKEND_DEFAULT);  // the flag that makes CUDA record times
    event_->record(CurrentStream(device));
  }
}

double Moment::Until(const Moment& later) const {
  if (event_) return event_->elapsedTime(*later.event_) / 1000;
  return std::chrono::duration<double>(later.time_ - time_).count();
}

}  // namespace gan::step
