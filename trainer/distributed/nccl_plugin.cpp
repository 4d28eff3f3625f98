#include "trainer/distributed/nccl_plugin.h"

#include <c10/cuda/CUDAFunctions.h>
#include <torch/csrc/distributed/c10d/ProcessGroup.hpp>
#include <torch/csrc/distributed/c10d/ProcessGroupNCCL.hpp>
#include <torch/csrc/distributed/c10d/Store.hpp>

#include <chrono>

int GanCudaDeviceCount() { return c10::cuda::device_count(); }

void GanUseCudaDevice(int device) { c10::cuda::set_device(static_cast<c10::DeviceIndex>(device)); }

void GanAddNcclBackend(c10d::ProcessGroup* group, c10d::Store* store, int rank, int size, int device,
                       std::int64_t timeout_seconds) {
  auto options = c10d::ProcessGroupNCCL::Options::create();
  options->timeout = std::chrono::seconds(timeout_seconds);
  // reclaim_copy adds a reference: the caller keeps its own.
  auto nccl = c10::make_intrusive<c10d::ProcessGroupNCCL>(c10::intrusive_ptr<c10d::Store>::reclaim_copy(store), rank,
                                                          size, options);
  // Binding the device lets NCCL connect at once instead of at the first collective.
  nccl->setBoundDeviceId(at::Device(at::kCUDA, static_cast<c10::DeviceIndex>(device)));
  group->setBackend(c10::DeviceType::CUDA, c10d::ProcessGroup::BackendType::NCCL, nccl);
}
