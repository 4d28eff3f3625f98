// The door to the GPU half: libgan_nccl.so, loaded when a GPU is asked for and never needed otherwise.
#pragma once

#include <chrono>
#include <string>

#include "trainer/distributed/communicator.h"

namespace gan::distributed {

// Loads the plugin once. Says whether it is there, loads, and finds a GPU; `why` (may be null) tells why not.
bool CudaAvailable(std::string* why = nullptr);

// This rank's GPU: its number on the host modulo the host's GPUs; made the current device. Throws UsageError when there
// is none.
int UseCudaDevice(const World& world);

// Collective. Gives `communicator` ProcessGroupNCCL for CUDA tensors, with its time-out and watchdog set. Returns a
// line for the log: where it listens.
std::string AddNcclBackend(Communicator& communicator, const World& world, std::chrono::seconds timeout);

}  // namespace gan::distributed
