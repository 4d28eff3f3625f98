#include "trainer/run/device.h"

#include <cstdlib>

#include "storage/counted.h"
#include "trainer/distributed/cuda.h"
#include "trainer/host/host_cpus.h"
#include "trainer/run/openmp.h"
#include "trainer/step/device_work.h"

namespace gan::run {

namespace {

// MKL selects code by CPU and memory alignment unless it is configured to be reproducible. It reads this variable at
// its first call, cuBLAS likewise.
void MakeDeterministic() {
  ::setenv("MKL_CBWR", "AUTO,STRICT", /*overwrite=*/0);
  ::setenv("CUBLAS_WORKSPACE_CONFIG", ":4096:8", /*overwrite=*/0);
  at::globalContext().setDeterministicAlgorithms(true, /*warn_only=*/false);
}

// Binds this rank to its share of the host's CPUs and sets the number of compute threads. Returns a line for the log.
std::string AssignCpus(int wanted, const distributed::World& world) {
  const host::CpuShare share = host::CpuShareOf(host::FindCpuFacts(world.local_cpus, world.local_rank));
  std::string why = share.why;
  // Before OpenMP starts its threads, which inherit the mask.
  if (!share.run_on.empty() && !host::RunOn(share.run_on)) why += ", which the kernel refused";
  const int before_limit = wanted > 0 ? wanted : share.threads;
  AllowWholeRegions();
  const int threads = WithinThreadLimit(before_limit);
  torch::set_num_threads(threads);  // also MKL's, which under Open MPI would otherwise be one
  // After the number is set, because the check opens a region of that size.
  RequireWholeRegions(threads);
  if (wanted > 0) why += "; --threads " + std::to_string(wanted);
  if (threads < before_limit) why += "; OMP_THREAD_LIMIT " + std::to_string(threads);
  return why + ": " + storage::Counted(threads, "thread") + " per rank";
}

// auto falls back to the CPU without an error; cuda does not.
torch::Device FindDevice(const TrainOptions& options, const distributed::World& world) {
  if (!UsesGpu(options)) return torch::kCPU;
  // cuDNN times its algorithms at the first use of each shape and keeps the fastest. The choice may differ from run to
  // run.
  at::globalContext().setBenchmarkCuDNN(!options.deterministic);
  const torch::Device device(torch::kCUDA, static_cast<torch::DeviceIndex>(distributed::UseCudaDevice(world)));
  if (RecordsSteps(options)) step::LeaveDefaultStream(device);
  return device;
}

}  // namespace

bool UsesGpu(const TrainOptions& options) {
  return options.device == "cuda" || (options.device == "auto" && distributed::CudaAvailable());
}

bool RecordsSteps(const TrainOptions& options) {
  return options.cuda_graphs && UsesGpu(options) && options.gan.loss.perceptual <= 0;
}

Place PrepareDevice(const TrainOptions& options, const distributed::World& world) {
  if (options.deterministic) MakeDeterministic();
  std::string cpus = AssignCpus(options.threads, world);
  return {FindDevice(options, world), std::move(cpus)};
}

}  // namespace gan::run
