#include "trainer/distributed/nccl_plugin.h"

#include <ATen/cuda/CUDAGraph.h>
#include <c10/cuda/CUDACachingAllocator.h>
#include <c10/cuda/CUDAFunctions.h>
#include <torch/csrc/distributed/c10d/ProcessGroup.hpp>
#include <torch/csrc/distributed/c10d/ProcessGroupNCCL.hpp>
#include <torch/csrc/distributed/c10d/Store.hpp>

#include <chrono>
#include <exception>

namespace {

// A share in the memory pool of all graphs. LibTorch gives a pool up with its last graph, so the next one needs
// another.
class PoolShare {
 public:
  PoolShare() {
    if (shares++ == 0) pool = at::cuda::graph_pool_handle();
  }
  ~PoolShare() { --shares; }
  PoolShare(const PoolShare&) = delete;
  PoolShare& operator=(const PoolShare&) = delete;
  at::cuda::MempoolId_t id() const { return pool; }

 private:
  static inline at::cuda::MempoolId_t pool;
  static inline int shares = 0;
};

class CudaGraph final : public gan::distributed::Graph {
 public:
  explicit CudaGraph(const std::function<void()>& queue) {
    // The recorded steps need as much memory as the same steps before them. That memory is still in the allocator's
    // cache, so the cache is emptied first.
    c10::cuda::CUDACachingAllocator::emptyCache();
    // Only this thread's calls could disturb the recording. The feed and NCCL's watchdog continue meanwhile.
    graph_.capture_begin(share_.id(), cudaStreamCaptureModeThreadLocal);
    try {
      queue();
    } catch (...) {
      GiveUp();
      throw;
    }
    graph_.capture_end();
  }
  void Replay() override { graph_.replay(); }

 private:
  // Otherwise the stream would record for ever. The error to report is the one that ended the recording.
  void GiveUp() noexcept {
    try {
      graph_.capture_end();
    } catch (const std::exception&) {
    }
  }

  PoolShare share_;  // before the graph, which gives its memory back first
  at::cuda::CUDAGraph graph_;
};

}  // namespace

gan::distributed::Graph* GanRecordGraph(const std::function<void()>& queue) { return new CudaGraph(queue); }

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
