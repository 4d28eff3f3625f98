// Loads the GPU part of the program, libgan_nccl.so. It is needed only with --device cuda.
#pragma once

#include <chrono>
#include <string>

#include "trainer/distributed/communicator.h"
#include "trainer/distributed/graph.h"

namespace gan::distributed {

// Loads the plugin on the first call. Returns whether it could be loaded and finds a GPU; otherwise sets `why`, which
// may be null, to the reason.
bool CudaAvailable(std::string* why = nullptr);

// Why no GPU can be used, with what to do about it; empty if one can. load_error: why the plugin did not load, or
// empty.
std::string WhyNoGpu(const std::string& load_error, int devices);

// The number of this rank's GPU among the `devices` of its host. Throws UsageError if the host has fewer GPUs than
// ranks, because NCCL connects only ranks with a GPU each. `apart`: NCCL treats the ranks as ranks of different hosts
// (NCCL_HOSTID), so they may share GPUs, although slowly; bench/gpu_check does this.
int DeviceOfRank(const World& world, int devices, bool apart);

// Selects this rank's GPU (DeviceOfRank), makes it the current device and returns its number. Throws UsageError when
// there is none.
int UseCudaDevice(const World& world);

// Collective. Adds ProcessGroupNCCL to `communicator` for CUDA tensors, with its time-out and watchdog. Returns a line
// for the log with the addresses on which NCCL listens.
std::string AddNcclBackend(Communicator& communicator, const World& world, std::chrono::seconds timeout);

// A RecordGraph for the current GPU (a CUDA graph). The thread's current stream must not be the default one. All
// collectives that are recorded must have run before, because NCCL connects at the first one. Throws c10::Error when an
// operation cannot be recorded. Use it only after UseCudaDevice.
std::unique_ptr<Graph> RecordCudaGraph(const std::function<void()>& queue);

}  // namespace gan::distributed
