// The axis of a row for the AVX-512 kernel: outputs in groups of four, each with a multiple of four taps.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "preprocess/resize/resample_kernels.h"

namespace gan::preprocess {

struct Quads {
  std::size_t quads = 0;
  std::size_t steps = 0;              // number of groups of four taps
  std::vector<std::uint32_t> start;   // [4 * quads] the first tap of each output, in bytes of the row
  std::vector<std::int32_t> weights;  // [4 * quads][4 * steps]; padding has weight 0
};

// Taps that would end beyond the available inputs begin earlier. Empty when there are fewer inputs than taps.
Quads QuadsOf(const Axis& axis);

}  // namespace gan::preprocess
