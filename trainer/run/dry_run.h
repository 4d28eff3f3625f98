#pragma once

#include <string>

#include "trainer/run/options.h"

namespace gan::run {

// The text of --dry-run, or a JSON object with --json: parameters, memory per rank, floating-point operations per step.
// Throws UsageError when the ranks cannot share the global batch evenly.
std::string DescribeCost(const TrainOptions& options, int world_size);

}  // namespace gan::run
