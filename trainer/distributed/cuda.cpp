#include "trainer/distributed/cuda.h"

#include <torch/csrc/distributed/c10d/ProcessGroup.hpp>
#include <torch/csrc/distributed/c10d/Store.hpp>

#include <cstdlib>

#include "plugin/plugin.h"
#include "storage/counted.h"
#include "storage/errors.h"
#include "storage/host_name.h"
#include "trainer/distributed/nccl_plugin.h"
#include "trainer/distributed/rendezvous.h"

namespace gan::distributed {

namespace {

// The functions of the plugin, or the reason why it could not be loaded.
struct CudaPlugin {
  decltype(&GanCudaDeviceCount) device_count;
  decltype(&GanUseCudaDevice) use_device;
  decltype(&GanAddNcclBackend) add_backend;
  decltype(&GanRecordGraph) record_graph;
  std::string why;  // why the plugin was not loaded
};

CudaPlugin Load() {
  // Read by ProcessGroupNCCL: with it, a rank that dies or hangs ends the others instead of blocking them for ever.
  ::setenv("TORCH_NCCL_ASYNC_ERROR_HANDLING", "1", /*overwrite=*/0);
  Plugin plugin("libgan_nccl.so", SymbolScope::kGlobal);
  CudaPlugin cuda = {plugin.Find<decltype(GanCudaDeviceCount)>("GanCudaDeviceCount"),
                     plugin.Find<decltype(GanUseCudaDevice)>("GanUseCudaDevice"),
                     plugin.Find<decltype(GanAddNcclBackend)>("GanAddNcclBackend"),
                     plugin.Find<decltype(GanRecordGraph)>("GanRecordGraph"), ""};
  const bool loaded = plugin.why().empty();
  cuda.why = WhyNoGpu(plugin.why(), loaded ? cuda.device_count() : 0);
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

// Not written as a sum, for which GCC 12 reports non-existent overlaps under -fsanitize=thread.
std::string WhyNoGpu(const std::string& load_error, int devices) {
  if (load_error.empty()) return devices > 0 ? "" : "no CUDA device was found: the driver reports no GPU";
  std::string why = "this build has no GPU part that loads (";
  return why.append(load_error).append("). Run setup/libtorch.sh --cuda and build again");
}

int DeviceOfRank(const World& world, int devices, bool apart) {
  if (world.local_size <= devices) return world.local_rank;
  if (apart) return world.local_rank % devices;
  throw UsageError(storage::Counted(world.local_size, "rank") + " on host " + storage::HostName() + ", but only " +
                   storage::Counted(devices, "GPU") + ": start at most one rank per GPU, or pass --device cpu");
}

int UseCudaDevice(const World& world) {
  if (!CudaAvailable()) throw UsageError("--device cuda: " + ThePlugin().why);
  const int device = DeviceOfRank(world, ThePlugin().device_count(), std::getenv("NCCL_HOSTID") != nullptr);
  ThePlugin().use_device(device);
  return device;
}

std::unique_ptr<Graph> RecordCudaGraph(const std::function<void()>& queue) {
  return std::unique_ptr<Graph>(ThePlugin().record_graph(queue));
}

std::string AddNcclBackend(Communicator& communicator, const World& world, std::chrono::seconds timeout) {
  // First, so that too few GPUs are an error before any rank waits for the others.
  const int device = UseCudaDevice(world);
  const Rendezvous rendezvous = Meet(communicator, world);
  ThePlugin().add_backend(communicator.process_group().get(), rendezvous.store.get(), world.rank, world.size, device,
                          timeout.count());
  return rendezvous.log_line;
}

}  // namespace gan::distributed
