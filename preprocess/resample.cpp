#include "preprocess/resample.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <utility>
#include <vector>

#include "preprocess/rejected.h"

namespace gan::preprocess {

namespace {

double Triangle(double x) {
  x = std::fabs(x);
  return x < 1.0 ? 1.0 - x : 0.0;
}

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

// Where in a row of `row` pixels the AVX2 loop begins, so that `stride` taps fit.
std::uint32_t ShiftedInside(std::uint32_t first, std::size_t stride, std::size_t row) {
  return static_cast<std::uint32_t>(std::min<std::size_t>(first, row - stride));
}

void Split(Axis& axis) {
  axis.split.resize(2 * axis.weights.size());
  for (std::size_t i = 0; i < axis.weights.size(); ++i) {
    std::int16_t* four = &axis.split[8 * (i / 4)];
    four[i % 4] = static_cast<std::int16_t>(axis.weights[i] & 4095);
    four[4 + i % 4] = static_cast<std::int16_t>(axis.weights[i] >> 12);
  }
}

// precompute_coeffs and normalize_coeffs_8bpc for outputs [offset, offset + kept) of a resize from `in` to `out`, of
// which the inputs [base, base + available) are at hand; `first` counts from base.
Axis MakeAxis(std::uint32_t in, std::uint32_t out, std::uint32_t offset, std::uint32_t kept, std::uint32_t base,
              std::uint32_t available, Filter filter) {
  const Kernel kernel = KernelOf(filter);
  const double scale = static_cast<double>(in) / out;
  const double filter_scale = std::max(scale, 1.0);
  const double support = kernel.support * filter_scale;
  Axis axis;
  axis.outputs = kept;
  axis.stride = (static_cast<std::size_t>(std::ceil(support)) * 2 + 1 + 3) / 4 * 4;
  axis.weights.assign(axis.stride * kept, 0);
  const bool wide = available >= axis.stride;
  std::vector<double> weights(axis.stride);
  for (std::uint32_t i = 0; i < kept; ++i) {
    const double centre = (offset + i + 0.5) * scale;
    const Taps taps = TapsOf(centre, support, in);
    double sum = 0;
    for (int x = taps.begin; x < taps.end; ++x) {
      const double w = kernel.weight((x - centre + 0.5) * (1.0 / filter_scale));
      weights[static_cast<std::size_t>(x - taps.begin)] = w;
      sum += w;
    }
    const std::uint32_t wanted = static_cast<std::uint32_t>(taps.begin) - base;
    const std::uint32_t first = wide ? ShiftedInside(wanted, axis.stride, available) : wanted;
    std::int32_t* fixed = &axis.weights[i * axis.stride + (wanted - first)];
    for (int x = taps.begin; x < taps.end; ++x) {
      const double w = weights[static_cast<std::size_t>(x - taps.begin)];
      *fixed++ = ToFixed(sum != 0.0 ? w / sum : w);
    }
    axis.first.push_back(first);
    axis.count.push_back(static_cast<std::uint32_t>(taps.end - taps.begin) + (wanted - first));
  }
  if (wide) Split(axis);
  return axis;
}

// Python's round(): half to even.
std::uint32_t CropOffset(std::uint32_t side, std::uint32_t size) {
  return static_cast<std::uint32_t>(std::nearbyint((static_cast<double>(side) - size) / 2.0));
}

struct Geometry {
  std::uint32_t width, height;  // after the resize
  std::uint32_t left, top;      // of the crop
};

Geometry GeometryOf(std::uint32_t width, std::uint32_t height, std::uint32_t size) {
  const std::uint32_t shorter = std::min(width, height);
  const double longer = static_cast<double>(size) * std::max(width, height) / shorter;
  if (longer > std::numeric_limits<std::int32_t>::max()) throw Rejected(Reason::kTooLarge, "too narrow a picture");
  const auto long_side = static_cast<std::uint32_t>(longer);
  Geometry g{width <= height ? size : long_side, width <= height ? long_side : size, 0, 0};
  g.left = CropOffset(g.width, size);
  g.top = CropOffset(g.height, size);
  return g;
}

// The inputs that the kept outputs of an axis look at: [first, second). An unchanged axis is not resampled.
std::pair<std::uint32_t, std::uint32_t> Span(std::uint32_t in, std::uint32_t out, std::uint32_t offset,
                                             std::uint32_t kept, Filter filter) {
  if (in == out) return {offset, offset + kept};
  const double scale = static_cast<double>(in) / out;
  const double support = KernelOf(filter).support * std::max(scale, 1.0);
  const Taps first = TapsOf((offset + 0.5) * scale, support, in);
  const Taps last = TapsOf((offset + kept - 1 + 0.5) * scale, support, in);
  return {static_cast<std::uint32_t>(first.begin), static_cast<std::uint32_t>(last.end)};
}

// A copy with room behind it for what the row kernels read beyond a row's end.
std::vector<std::uint8_t> Roomy(const std::uint8_t* row, std::size_t bytes) {
  std::vector<std::uint8_t> copy(bytes + kReadBeyond);
  std::memcpy(copy.data(), row, bytes);
  return copy;
}

Rgb8 ResizeHorizontally(const Rgb8& part, const Region& where, std::uint32_t width, const Geometry& g,
                        std::uint32_t size, std::uint32_t first_row, std::uint32_t rows, Filter filter,
                        const ResampleKernels& kernels) {
  Rgb8 out(size, rows);
  const Axis axis = g.width == width ? Axis{} : MakeAxis(width, g.width, g.left, size, where.x, where.width, filter);
  const std::size_t row_bytes = std::size_t{3} * where.width;
  // Of all rows only the last has nothing behind it.
  const std::vector<std::uint8_t> last = Roomy(part.pixels.data() + part.pixels.size() - row_bytes, row_bytes);
  for (std::uint32_t y = 0; y < rows; ++y) {
    const std::size_t row_number = first_row - where.y + y;
    const std::uint8_t* in = row_number + 1 == where.height ? last.data() : &part.pixels[row_bytes * row_number];
    std::uint8_t* row = &out.pixels[std::size_t{3} * size * y];
    if (g.width == width) {
      std::memcpy(row, in + std::size_t{3} * (g.left - where.x), std::size_t{3} * size);
    } else {
      kernels.row(in, axis, row);
    }
  }
  return out;
}

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

Region InputOfCrop(std::uint32_t width, std::uint32_t height, std::uint32_t size, Filter filter) {
  const Geometry g = GeometryOf(width, height, size);
  const auto [left, right] = Span(width, g.width, g.left, size, filter);
  const auto [top, bottom] = Span(height, g.height, g.top, size, filter);
  return {left, top, right - left, bottom - top};
}

Rgb8 ResizeAndCropPart(const Rgb8& part, const Region& where, std::uint32_t width, std::uint32_t height,
                       std::uint32_t size, Filter filter, const ResampleKernels& kernels) {
  const Geometry g = GeometryOf(width, height, size);
  const auto [top, bottom] = Span(height, g.height, g.top, size, filter);
  Rgb8 narrow = ResizeHorizontally(part, where, width, g, size, top, bottom - top, filter, kernels);
  if (g.height == height) return narrow;
  const Axis axis = MakeAxis(height, g.height, g.top, size, top, bottom - top, filter);
  Rgb8 out(size, size);
  const std::size_t row_bytes = std::size_t{3} * size;
  for (std::uint32_t y = 0; y < size; ++y) {
    kernels.columns(&narrow.pixels[row_bytes * axis.first[y]], row_bytes, &axis.weights[y * axis.stride], axis.count[y],
                    &out.pixels[row_bytes * y]);
  }
  return out;
}

Rgb8 ResizeAndCrop(const Rgb8& image, std::uint32_t size, Filter filter, const ResampleKernels& kernels) {
  return ResizeAndCropPart(image, {0, 0, image.width, image.height}, image.width, image.height, size, filter, kernels);
}

}  // namespace gan::preprocess
