// One direction of a resize: the inputs of each output that the crop keeps, and their weights (Pillow 12.0.0,
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

// Outputs [offset, offset + kept) of a resize from `in` to `out`, for which the inputs [base, base + available) are
// available.
struct AxisShape {
  std::uint32_t in = 0, out = 0;
  std::uint32_t offset = 0, kept = 0;
  std::uint32_t base = 0, available = 0;
  Filter filter = Filter::kBilinear;
  bool operator==(const AxisShape&) const = default;
};

enum class Direction { kRows, kColumns };

// The axis with its weights in the layout of `kernels`. Every thread caches its latest axes, because pictures of one
// camera share them.
std::shared_ptr<const Axis> AxisOf(const AxisShape& shape, Direction direction, const ResampleKernels& kernels);

// The range of inputs that the kept outputs need: [first, second). An axis of unchanged size is not resampled.
std::pair<std::uint32_t, std::uint32_t> InputsOf(std::uint32_t in, std::uint32_t out, std::uint32_t offset,
                                                 std::uint32_t kept, Filter filter);

}  // namespace gan::preprocess
