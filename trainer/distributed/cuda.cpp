#include "trainer/distributed/cuda.h"

#include <torch/csrc/distributed/c10d/ProcessGroup.hpp>
#include <torch/csrc/distributed/c10d/Store.hpp>

#include <cstdlib>

#include "plugin/plugin.h"
#include "storage/errors.h"
#include "trainer/distributed/nccl_plugin.h"
#include "trainer/distributed/rendezvous.h"

namespace gan::distributed {

namespace {

// The functions of the plugin, or the reason why it could not be loaded.
struct CudaPlugin {
  decltype(&GanCudaDeviceCount) device_count;
  decltype(&GanUseCudaDevice) use_device;
  decltype(&GanAddNcclBackend) add_backend;
  std::string why;  // why the plugin was not loaded
};

CudaPlugin Load() {
  // Read by ProcessGroupNCCL: with it, a rank that dies or hangs ends the others instead of blocking them for ever.
  ::setenv("TORCH_NCCL_ASYNC_ERROR_HANDLING", "1", /*overwrite=*/0);
  Plugin plugin("libgan_nccl.so", SymbolScope::kGlobal);
  CudaPlugin cuda = {plugin.Find<decltype(GanCudaDeviceCount)>("GanCudaDeviceCount"),
                     plugin.Find<decltype(GanUseCudaDevice)>("GanUseCudaDevice"),
                     plugin.Find<decltype(GanAddNcclBackend)>("GanAddNcclBackend"), ""};
  // Not written as a sum, in which GCC 12 reports overlaps that do not exist under -fsanitize=thread.
  if (!plugin.why().empty()) {
    cuda.why.assign("no CUDA device can be used, for the GPU plugin does not load: ").append(plugin.why());
  } else if (cuda.device_count() == 0) {
    cuda.why = "no CUDA device was found: the driver reports no GPU";
  }
  return cuda;
}

// Loaded at the first use, because a run on CPUs never needs it.
const CudaPlugin& ThePlugin() {
  static const CudaPlugin kPlugin = Load();
  return kPlugin;
}

}  // namespace

bool CudaAvailable(std::string* why) {
  if (why != nullptr) *why = ThePlugin().why;
  return ThePlugin().why.empty();
}

// Several ranks may share a GPU when a host has more ranks than GPUs.
int UseCudaDevice(const World& world) {
  if (!CudaAvailable()) throw UsageError("--device cuda: " + ThePlugin().why);
  const int device = world.local_rank % ThePlugin().device_count();
  ThePlugin().use_device(device);
  return device;
}

std::string AddNcclBackend(Communicator& communicator, const World& world, std::chrono::seconds timeout) {
  const int device = UseCudaDevice(world);
  const Rendezvous rendezvous = Meet(communicator, world);
  ThePlugin().add_backend(communicator.process_group().get(), rendezvous.store.get(), world.rank, world.size, device,
                          timeout.count());
  return rendezvous.log_line;
}

}  // namespace gan::distributed
