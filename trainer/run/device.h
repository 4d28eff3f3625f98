#pragma once

#include <torch/torch.h>

#include "trainer/distributed/communicator.h"
#include "trainer/run/options.h"

namespace gan::run {

// Settles where and how this rank computes, before LibTorch's first real work: device by local rank, number of threads,
// reproducibility switches. Throws UsageError when a GPU is asked for where there is none.
torch::Device PrepareDevice(const TrainOptions& options, const distributed::World& world);

// Threads for one of `local_size` ranks on this host: the cores that the launcher bound it to, else its share of all.
int DefaultThreads(int local_size);

}  // namespace gan::run
