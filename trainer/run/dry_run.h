#pragma once

#include <string>

#include "trainer/run/options.h"

namespace gan::run {

// What --dry-run prints, or with --json one JSON object: parameters, memory per rank, floating-point operations per
// step. Throws UsageError when the ranks cannot share the global batch.
std::string DescribeCost(const TrainOptions& options, int world_size);

}  // namespace gan::run
