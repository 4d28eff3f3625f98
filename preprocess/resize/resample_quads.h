// How the kernel with AVX-512 sees the axis of a row: outputs in fours, each with a multiple of four taps.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "preprocess/resize/resample_kernels.h"

namespace gan::preprocess {

struct Quads {
  std::size_t quads = 0;
  std::size_t steps = 0;              // of four taps
  std::vector<std::uint32_t> start;   // [4 * quads] where the taps of an output begin, in bytes of the row
  std::vector<std::int32_t> weights;  // [4 * quads][4 * steps]; what fills up weighs 0
};

// Taps that would end beyond the inputs at hand begin earlier. None when the inputs are fewer than the taps.
Quads QuadsOf(const Axis& axis);

}  // namespace gan::preprocess
