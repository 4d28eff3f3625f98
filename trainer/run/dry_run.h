#pragma once

#include <string>

#include "trainer/run/options.h"

namespace gan::run {

// The table of --dry-run: parameters, memory a rank and floating-point operations a step.
std::string DescribeCost(const TrainOptions& options, int world_size);

}  // namespace gan::run
