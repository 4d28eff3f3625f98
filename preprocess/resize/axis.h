// One side of a resize: which inputs each output that the crop keeps is made of, and with which weights (Pillow 12.0.0,
// src/libImaging/Resample.c).
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <utility>

#include "preprocess/resize/resample_kernels.h"

namespace gan::preprocess {

enum class Filter { kBilinear, kLanczos, kBox };
std::string_view Name(Filter filter);

// Outputs [offset, offset + kept) of a resize from `in` to `out`, of which the inputs [base, base + available) are at
// hand.
struct AxisShape {
  std::uint32_t in = 0, out = 0;
  std::uint32_t offset = 0, kept = 0;
  std::uint32_t base = 0, available = 0;
  Filter filter = Filter::kBilinear;
  bool operator==(const AxisShape&) const = default;
};

enum class Direction { kRows, kColumns };

// With the weights as `kernels` wants them. Every thread keeps its latest ones: pictures of one camera share them.
std::shared_ptr<const Axis> AxisOf(const AxisShape& shape, Direction direction, const ResampleKernels& kernels);

// The inputs that the kept outputs look at: [first, second). An unchanged axis is not resampled.
std::pair<std::uint32_t, std::uint32_t> InputsOf(std::uint32_t in, std::uint32_t out, std::uint32_t offset,
                                                 std::uint32_t kept, Filter filter);

}  // namespace gan::preprocess
