#pragma once

#include <torch/types.h>

#include <string>

#include "trainer/distributed/communicator.h"
#include "trainer/run/options.h"

namespace gan::run {

struct Place {
  torch::Device device;
  std::string cpus;  // one line for the log: the CPUs and the reason for the number of threads
};

// Prepares the devices of this rank: the device by local rank, the CPUs and the number of threads, and the switches for
// reproducibility. Call it before LibTorch computes anything. Throws UsageError when a GPU is requested but there is
// none, and when OpenMP provides fewer threads than needed.
Place PrepareDevice(const TrainOptions& options, const distributed::World& world);

// Whether that device is a GPU.
bool UsesGpu(const TrainOptions& options);

// Whether steps are recorded and repeated (step/recorded_steps.h). A user's TorchScript network compiles itself anew
// while it runs, so steps with one are not.
bool RecordsSteps(const TrainOptions& options);

}  // namespace gan::run
