// The complete interface of the plugin: the functions that cuda.cpp looks up by name.
#pragma once

#include <cstdint>
#include <functional>

#include "trainer/distributed/graph.h"

namespace c10d {
class Store;
class ProcessGroup;
}  // namespace c10d

extern "C" {
int GanCudaDeviceCount();
void GanUseCudaDevice(int device);
// Adds ProcessGroupNCCL as the CUDA backend of `group`. `store` is shared by all ranks.
void GanAddNcclBackend(c10d::ProcessGroup* group, c10d::Store* store, int rank, int size, int device,
                       std::int64_t timeout_seconds);
// As RecordGraph in graph.h, on the current device. The caller owns the result.
gan::distributed::Graph* GanRecordGraph(const std::function<void()>& queue);
}
