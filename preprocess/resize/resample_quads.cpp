#include "preprocess/resize/resample_quads.h"

#include <algorithm>

namespace gan::preprocess {

Quads QuadsOf(const Axis& axis) {
  Quads q;
  q.steps = (axis.stride + 3) / 4;
  const std::size_t taps = 4 * q.steps;
  // Four taps would read beyond the row, so the kernels use the portable code.
  if (axis.available < taps) return q;
  q.quads = (axis.outputs + 3) / 4;
  q.weights.assign(4 * q.quads * taps, 0);
  for (std::size_t i = 0; i < 4 * q.quads; ++i) {
    const std::size_t output = std::min<std::size_t>(i, axis.outputs - 1);
    // Taps that would end beyond the inputs begin earlier, and the weights below are shifted accordingly.
    const auto first = static_cast<std::uint32_t>(std::min<std::size_t>(axis.first[output], axis.available - taps));
    q.start.push_back(3 * first);
    if (i >= axis.outputs) continue;  // computed and thrown away
    const auto weights = axis.weights.begin() + static_cast<std::ptrdiff_t>(i * axis.stride);
    std::copy_n(weights, axis.count[i],
                q.weights.begin() + static_cast<std::ptrdiff_t>(i * taps + axis.first[i] - first));
  }
  return q;
}

}  // namespace gan::preprocess
