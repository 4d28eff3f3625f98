#pragma once

#include <torch/torch.h>

#include <string>

#include "trainer/distributed/communicator.h"
#include "trainer/run/options.h"

namespace gan::run {

struct Place {
  torch::Device device;
  std::string cpus;  // one line for the log: the CPUs that were found, and why this rank computes with so many threads
};

// Settles where and how this rank computes, before LibTorch's first real work: device by local rank, CPUs and number of
// threads, reproducibility switches. Throws UsageError when a GPU is asked for where there is none, and when OpenMP
// withholds threads.
Place PrepareDevice(const TrainOptions& options, const distributed::World& world);

}  // namespace gan::run
