#include "preprocess/resample.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

#include "preprocess/rejected.h"

namespace gan::preprocess {

namespace {

constexpr int kPrecisionBits = 32 - 8 - 2;

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

// The weights of one axis for the outputs that the crop keeps, in fixed point.
struct Axis {
  std::uint32_t outputs = 0;
  std::vector<std::uint32_t> first;   // first input of each output
  std::vector<std::uint32_t> count;   // inputs of each output
  std::vector<std::int32_t> weights;  // [outputs][stride]
  std::size_t stride = 0;
};

std::int32_t ToFixed(double weight) {
  const double scaled = weight * (1 << kPrecisionBits);
  return static_cast<std::int32_t>(weight < 0 ? scaled - 0.5 : scaled + 0.5);
}

// precompute_coeffs and normalize_coeffs_8bpc for outputs [offset, offset + kept) of a resize from `in` to `out`.
Axis MakeAxis(std::uint32_t in, std::uint32_t out, std::uint32_t offset, std::uint32_t kept, Filter filter) {
  const Kernel kernel = KernelOf(filter);
  const double scale = static_cast<double>(in) / out;
  const double filter_scale = std::max(scale, 1.0);
  const double support = kernel.support * filter_scale;
  Axis axis;
  axis.outputs = kept;
  axis.stride = static_cast<std::size_t>(std::ceil(support)) * 2 + 1;
  axis.weights.assign(axis.stride * kept, 0);
  std::vector<double> weights(axis.stride);
  for (std::uint32_t i = 0; i < kept; ++i) {
    const double centre = (offset + i + 0.5) * scale;
    const int begin = std::max(static_cast<int>(centre - support + 0.5), 0);
    const int end = std::min(static_cast<int>(centre + support + 0.5), static_cast<int>(in));
    double sum = 0;
    for (int x = begin; x < end; ++x) {
      const double w = kernel.weight((x - centre + 0.5) * (1.0 / filter_scale));
      weights[static_cast<std::size_t>(x - begin)] = w;
      sum += w;
    }
    for (int x = begin; x < end; ++x) {
      const double w = weights[static_cast<std::size_t>(x - begin)];
      axis.weights[i * axis.stride + static_cast<std::size_t>(x - begin)] = ToFixed(sum != 0.0 ? w / sum : w);
    }
    axis.first.push_back(static_cast<std::uint32_t>(begin));
    axis.count.push_back(static_cast<std::uint32_t>(end - begin));
  }
  return axis;
}

std::uint8_t Clip(std::int32_t sum) { return static_cast<std::uint8_t>(std::clamp(sum >> kPrecisionBits, 0, 255)); }

constexpr std::int32_t kHalf = 1 << (kPrecisionBits - 1);

// in: one row of pixels; out: axis.outputs pixels.
void ResampleRow(const std::uint8_t* in, const Axis& axis, std::uint8_t* out) {
  for (std::uint32_t i = 0; i < axis.outputs; ++i, out += 3) {
    const std::int32_t* weights = &axis.weights[i * axis.stride];
    const std::uint8_t* pixel = in + std::size_t{3} * axis.first[i];
    std::int32_t red = kHalf, green = kHalf, blue = kHalf;
    for (std::uint32_t k = 0; k < axis.count[i]; ++k, pixel += 3) {
      red += pixel[0] * weights[k];
      green += pixel[1] * weights[k];
      blue += pixel[2] * weights[k];
    }
    out[0] = Clip(red);
    out[1] = Clip(green);
    out[2] = Clip(blue);
  }
}

// rows: consecutive rows of `row_bytes`; out: one row, the weighted sum of `count` of them.
void ResampleColumns(const std::uint8_t* rows, std::size_t row_bytes, const std::int32_t* weights, std::uint32_t count,
                     std::vector<std::int32_t>& sums, std::uint8_t* out) {
  std::fill(sums.begin(), sums.end(), kHalf);
  for (std::uint32_t k = 0; k < count; ++k, rows += row_bytes) {
    for (std::size_t x = 0; x < row_bytes; ++x) sums[x] += rows[x] * weights[k];
  }
  for (std::size_t x = 0; x < row_bytes; ++x) out[x] = Clip(sums[x]);
}

// Python's round(): half to even.
std::uint32_t CropOffset(std::uint32_t side, std::uint32_t size) {
  return static_cast<std::uint32_t>(std::nearbyint((static_cast<double>(side) - size) / 2.0));
}

Rgb8 ResizeHorizontally(const Rgb8& image, std::uint32_t to, std::uint32_t size, std::uint32_t first_row,
                        std::uint32_t rows, Filter filter) {
  Rgb8 out(size, rows);
  const std::uint32_t left = CropOffset(to, size);
  const Axis axis = to == image.width ? Axis{} : MakeAxis(image.width, to, left, size, filter);
  for (std::uint32_t y = 0; y < rows; ++y) {
    const std::uint8_t* in = &image.pixels[std::size_t{3} * image.width * (first_row + y)];
    std::uint8_t* row = &out.pixels[std::size_t{3} * size * y];
    if (to == image.width) {
      std::memcpy(row, in + std::size_t{3} * left, std::size_t{3} * size);
    } else {
      ResampleRow(in, axis, row);
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

Rgb8 ResizeAndCrop(const Rgb8& image, std::uint32_t size, Filter filter) {
  const std::uint32_t shorter = std::min(image.width, image.height);
  const double longer = static_cast<double>(size) * std::max(image.width, image.height) / shorter;
  if (longer > std::numeric_limits<std::int32_t>::max()) throw Rejected(Reason::kTooLarge, "too narrow a picture");
  const auto long_side = static_cast<std::uint32_t>(longer);
  const std::uint32_t to_width = image.width <= image.height ? size : long_side;
  const std::uint32_t to_height = image.width <= image.height ? long_side : size;
  const std::uint32_t top = CropOffset(to_height, size);
  if (to_height == image.height) return ResizeHorizontally(image, to_width, size, top, size, filter);

  // Only the rows that the kept outputs look at are resized horizontally.
  const Axis axis = MakeAxis(image.height, to_height, top, size, filter);
  const std::uint32_t first_row = axis.first.front();
  const std::uint32_t rows = axis.first.back() + axis.count.back() - first_row;
  const Rgb8 narrow = ResizeHorizontally(image, to_width, size, first_row, rows, filter);
  Rgb8 out(size, size);
  const std::size_t row_bytes = std::size_t{3} * size;
  std::vector<std::int32_t> sums(row_bytes);
  for (std::uint32_t y = 0; y < size; ++y) {
    ResampleColumns(&narrow.pixels[row_bytes * (axis.first[y] - first_row)], row_bytes, &axis.weights[y * axis.stride],
                    axis.count[y], sums, &out.pixels[row_bytes * y]);
  }
  return out;
}

}  // namespace gan::preprocess
