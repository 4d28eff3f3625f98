#pragma once

#include <string>

#include "trainer/run/options.h"
#include "trainer/run/settle.h"

namespace gan::run {

// The text of --dry-run, or a JSON object with --json: the choices of a preset, parameters, memory per rank,
// floating-point operations per step, and the measured time. Throws UsageError when the ranks cannot share the global
// batch evenly.
std::string DescribeCost(const SettledOptions& settled, int world_size);

// The memory that a rank needs for networks, activations and the exchange, estimated from the shapes.
double MemoryPerRank(const TrainOptions& options, int world_size);

}  // namespace gan::run
