#include "trainer/run/device.h"

#include <sched.h>

#include <algorithm>
#include <cstdlib>
#include <thread>

#include "trainer/distributed/cuda.h"

namespace gan::run {

namespace {

// MKL picks code by CPU and memory alignment unless told to be reproducible; read by MKL at its first call.
void MakeDeterministic() {
  ::setenv("MKL_CBWR", "AUTO,STRICT", /*overwrite=*/0);
  ::setenv("CUBLAS_WORKSPACE_CONFIG", ":4096:8", /*overwrite=*/0);
  at::globalContext().setDeterministicAlgorithms(true, /*warn_only=*/false);
}

}  // namespace

int DefaultThreads(int local_size) {
  const int all = static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
  cpu_set_t bound;
  CPU_ZERO(&bound);
  const int mine = sched_getaffinity(0, sizeof bound, &bound) == 0 ? CPU_COUNT(&bound) : all;
  return std::max(1, mine < all ? mine : all / local_size);
}

torch::Device PrepareDevice(const TrainOptions& options, const distributed::World& world) {
  if (options.deterministic) MakeDeterministic();
  torch::set_num_threads(options.threads > 0 ? options.threads : DefaultThreads(world.local_size));
  if (options.device == "cpu") return torch::kCPU;
  if (options.device == "auto" && !distributed::CudaAvailable()) return torch::kCPU;
  // cuDNN tries its ways at each shape's first use and keeps the fastest; which one wins may differ from run to run.
  at::globalContext().setBenchmarkCuDNN(!options.deterministic);
  return {torch::kCUDA, static_cast<torch::DeviceIndex>(distributed::UseCudaDevice(world))};
}

}  // namespace gan::run
