#include "trainer/distributed/cuda.h"

#include <dlfcn.h>
#include <unistd.h>

#include <torch/csrc/distributed/c10d/PrefixStore.hpp>
#include <torch/csrc/distributed/c10d/ProcessGroup.hpp>
#include <torch/csrc/distributed/c10d/TCPStore.hpp>

#include "storage/errors.h"
#include "trainer/distributed/nccl_plugin.h"

namespace gan::distributed {

namespace {

struct Plugin {
  decltype(&GanCudaDeviceCount) device_count = nullptr;
  decltype(&GanUseCudaDevice) use_device = nullptr;
  decltype(&GanAddNcclBackend) add_backend = nullptr;
  std::string why;  // not loaded
};

Plugin Load() {
  // Read by ProcessGroupNCCL: a rank that dies or hangs ends the others instead of blocking them for ever.
  ::setenv("TORCH_NCCL_ASYNC_ERROR_HANDLING", "1", /*overwrite=*/0);
  Plugin plugin;
  void* library = ::dlopen("libgan_nccl.so", RTLD_NOW | RTLD_GLOBAL);
  if (library == nullptr) {
    plugin.why = std::string("no CUDA device can be used, for the GPU plugin does not load: ") + ::dlerror();
    return plugin;
  }
  const auto find = [&](auto& function, const char* name) {
    function = reinterpret_cast<std::decay_t<decltype(function)>>(::dlsym(library, name));
    // Not a sum: under -fsanitize=thread GCC 12 sees overlaps in it that are not there.
    if (function == nullptr) plugin.why.assign("the GPU plugin lacks ").append(name);
  };
  find(plugin.device_count, "GanCudaDeviceCount");
  find(plugin.use_device, "GanUseCudaDevice");
  find(plugin.add_backend, "GanAddNcclBackend");
  if (plugin.why.empty() && plugin.device_count() == 0)
    plugin.why = "no CUDA device was found: the driver knows no GPU";
  return plugin;
}

const Plugin& ThePlugin() {
  static const Plugin kPlugin = Load();
  return kPlugin;
}

std::string HostName() {
  char name[256] = {};
  ::gethostname(name, sizeof name - 1);
  return name;
}

// Rank 0 listens, on loopback when all ranks share its host; the others learn where through MPI.
c10::intrusive_ptr<c10d::Store> MakeStore(Communicator& communicator, const World& world) {
  const std::string host = world.local_size == world.size ? "127.0.0.1" : HostName();
  c10d::TCPStoreOptions options;
  options.port = 0;
  options.isServer = true;
  options.waitWorkers = false;
  c10::intrusive_ptr<c10d::TCPStore> store;
  if (world.rank == 0) store = c10::make_intrusive<c10d::TCPStore>(host, options);
  const std::string address =
      communicator.Broadcast(store ? store->getHost() + " " + std::to_string(store->getPort()) : std::string());
  if (store) return store;
  const std::size_t space = address.find(' ');
  options.isServer = false;
  options.port = static_cast<std::uint16_t>(std::stoi(address.substr(space + 1)));
  return c10::make_intrusive<c10d::TCPStore>(address.substr(0, space), options);
}

}  // namespace

bool CudaAvailable(std::string* why) {
  if (why != nullptr) *why = ThePlugin().why;
  return ThePlugin().why.empty();
}

int UseCudaDevice(const World& world) {
  if (!CudaAvailable()) throw UsageError("--device cuda: " + ThePlugin().why);
  const int device = world.local_rank % ThePlugin().device_count();
  ThePlugin().use_device(device);
  return device;
}

void AddNcclBackend(Communicator& communicator, const World& world, std::chrono::seconds timeout) {
  const int device = UseCudaDevice(world);
  const auto store = MakeStore(communicator, world);
  ThePlugin().add_backend(communicator.process_group().get(), store.get(), world.rank, world.size, device,
                          timeout.count());
}

}  // namespace gan::distributed
