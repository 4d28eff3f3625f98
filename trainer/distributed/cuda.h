// Loads the GPU part of the program, libgan_nccl.so. It is needed only with --device cuda.
#pragma once

#include <chrono>
#include <string>

#include "trainer/distributed/communicator.h"

namespace gan::distributed {

// Loads the plugin on the first call. Returns whether it could be loaded and finds a GPU; otherwise sets `why`, which
// may be null, to the reason.
bool CudaAvailable(std::string* why = nullptr);

// Selects this rank's GPU, local rank modulo the number of GPUs on the host, makes it the current device and returns
// its number. Throws UsageError when there is none.
int UseCudaDevice(const World& world);

// Collective. Adds ProcessGroupNCCL to `communicator` for CUDA tensors, with its time-out and watchdog. Returns a line
// for the log with the addresses on which NCCL listens.
std::string AddNcclBackend(Communicator& communicator, const World& world, std::chrono::seconds timeout);

}  // namespace gan::distributed
