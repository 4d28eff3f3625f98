#include "preprocess/resize/axis.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

namespace gan::preprocess {

namespace {

double Triangle(double x) {
  x = std::fabs(x);
  return x < 1.0 ? 1.0 - x : 0.0;
}

// Half open, as in Pillow: a tap on the border counts for one output, not for two.
double Box(double x) { return x > -0.5 && x <= 0.5 ? 1.0 : 0.0; }

double Sinc(double x) {
  if (x == 0.0) return 1.0;
  x *= M_PI;
  return std::sin(x) / x;
}

double Lanczos(double x) { return x >= -3.0 && x < 3.0 ? Sinc(x) * Sinc(x / 3) : 0.0; }

struct Kernel {
  double (*weight)(double);
  double support;
};

Kernel KernelOf(Filter filter) {
  switch (filter) {
    case Filter::kBilinear:
      return {Triangle, 1.0};
    case Filter::kLanczos:
      return {Lanczos, 3.0};
    case Filter::kBox:
      return {Box, 0.5};
  }
  return {Triangle, 1.0};
}

// Pillow adds or subtracts a half and truncates, which rounds halves away from zero.
std::int32_t ToFixed(double weight) {
  const double scaled = weight * (1 << kPrecisionBits);
  return static_cast<std::int32_t>(weight < 0 ? scaled - 0.5 : scaled + 0.5);
}

// The inputs [begin, end) of one output.
struct Taps {
  int begin, end;
};

Taps TapsOf(double centre, double support, std::uint32_t in) {
  return {std::max(static_cast<int>(centre - support + 0.5), 0),
          std::min(static_cast<int>(centre + support + 0.5), static_cast<int>(in))};
}

// Pillow's precompute_coeffs and normalize_coeffs_8bpc, with the same operations in the same order, since another order
// of doubles could change the last bit of a weight.
Axis MakeAxis(const AxisShape& shape) {
  const Kernel kernel = KernelOf(shape.filter);
  const double scale = static_cast<double>(shape.in) / shape.out;
  const double filter_scale = std::max(scale, 1.0);
  const double support = kernel.support * filter_scale;
  const auto centre_of = [&](std::uint32_t i) { return (shape.offset + i + 0.5) * scale; };
  Axis axis;
  axis.outputs = shape.kept;
  axis.available = shape.available;
  for (std::uint32_t i = 0; i < shape.kept; ++i) {
    // Taps are numbered in the whole picture, whose first `base` inputs are missing here.
    const Taps taps = TapsOf(centre_of(i), support, shape.in);
    axis.first.push_back(static_cast<std::uint32_t>(taps.begin) - shape.base);
    axis.count.push_back(static_cast<std::uint32_t>(taps.end - taps.begin));
    axis.stride = std::max<std::size_t>(axis.stride, axis.count.back());
  }
  axis.weights.assign(axis.stride * shape.kept, 0);
  std::vector<double> weights(axis.stride);
  for (std::uint32_t i = 0; i < shape.kept; ++i) {
    double sum = 0;
    for (std::uint32_t k = 0; k < axis.count[i]; ++k) {
      const double x = static_cast<double>(axis.first[i] + shape.base + k);
      weights[k] = kernel.weight((x - centre_of(i) + 0.5) * (1.0 / filter_scale));
      sum += weights[k];
    }
    for (std::uint32_t k = 0; k < axis.count[i]; ++k) {
      axis.weights[i * axis.stride + k] = ToFixed(sum != 0.0 ? weights[k] / sum : weights[k]);
    }
  }
  return axis;
}

// The most recently used axes of a thread; the oldest one is replaced.
class AxisCache {
 public:
  std::shared_ptr<const Axis> Find(const AxisShape& shape, Direction direction, const ResampleKernels& kernels) {
    for (const Entry& entry : entries_) {
      if (entry.axis && entry.kernels == &kernels && entry.direction == direction && entry.shape == shape) {
        return entry.axis;
      }
    }
    auto axis = std::make_shared<Axis>(MakeAxis(shape));
    (direction == Direction::kRows ? kernels.prepare_rows : kernels.prepare_columns)(*axis);
    entries_[next_] = {shape, direction, &kernels, axis};
    next_ = (next_ + 1) % entries_.size();
    return axis;
  }

 private:
  struct Entry {
    AxisShape shape;
    Direction direction = Direction::kRows;
    const ResampleKernels* kernels = nullptr;
    std::shared_ptr<const Axis> axis;
  };
  std::array<Entry, 16> entries_;
  std::size_t next_ = 0;
};

}  // namespace

std::string_view Name(Filter filter) {
  switch (filter) {
    case Filter::kBilinear:
      return "bilinear";
    case Filter::kLanczos:
      return "lanczos";
    case Filter::kBox:
      return "box";
  }
  return "";
}

std::shared_ptr<const Axis> AxisOf(const AxisShape& shape, Direction direction, const ResampleKernels& kernels) {
  // One per thread, so that it needs no lock. An axis may be dropped here while a resize still uses it.
  thread_local AxisCache cache;
  return cache.Find(shape, direction, kernels);
}

std::pair<std::uint32_t, std::uint32_t> InputsOf(std::uint32_t in, std::uint32_t out, std::uint32_t offset,
                                                 std::uint32_t kept, Filter filter) {
  // Pillow omits a pass that would change nothing.
  if (in == out) return {offset, offset + kept};
  const double scale = static_cast<double>(in) / out;
  const double support = KernelOf(filter).support * std::max(scale, 1.0);
  const Taps first = TapsOf((offset + 0.5) * scale, support, in);
  const Taps last = TapsOf((offset + kept - 1 + 0.5) * scale, support, in);
  return {static_cast<std::uint32_t>(first.begin), static_cast<std::uint32_t>(last.end)};
}

}  // namespace gan::preprocess
