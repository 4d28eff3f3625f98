#include "preprocess/resize/resample_kernels.h"

#include <algorithm>
#include <array>

namespace gan::preprocess {

namespace {

constexpr std::int32_t kHalf = 1 << (kPrecisionBits - 1);

// Each sum begins with a half, so this shift rounds.
std::uint8_t Clip(std::int32_t sum) { return static_cast<std::uint8_t>(std::clamp(sum >> kPrecisionBits, 0, 255)); }

// These loops define the resize. Tests compare the output of the vector kernels with theirs.
void Row(const std::uint8_t* in, const Axis& axis, std::uint8_t* out) {
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

void Rows(const std::uint8_t* in, std::size_t in_bytes, std::uint32_t count, const Axis& axis, std::uint8_t* out) {
  for (std::uint32_t y = 0; y < count; ++y) Row(in + y * in_bytes, axis, out + std::size_t{3} * axis.outputs * y);
}

void Columns(const std::uint8_t* in, std::size_t row_bytes, const Axis& axis, std::uint32_t i, std::uint8_t* out) {
  constexpr std::size_t kBlock = 384;  // sums that fit into the L1 cache
  const std::uint8_t* rows = in + row_bytes * axis.first[i];
  std::array<std::int32_t, kBlock> sums;
  for (std::size_t begin = 0; begin < row_bytes; begin += kBlock) {
    const std::size_t n = std::min(kBlock, row_bytes - begin);
    sums.fill(kHalf);
    for (std::uint32_t k = 0; k < axis.count[i]; ++k) {
      const std::uint8_t* row = rows + k * row_bytes + begin;
      const std::int32_t weight = axis.weights[i * axis.stride + k];
      for (std::size_t x = 0; x < n; ++x) sums[x] += row[x] * weight;
    }
    for (std::size_t x = 0; x < n; ++x) out[begin + x] = Clip(sums[x]);
  }
}

void PrepareNothing(Axis&) {}

}  // namespace

const ResampleKernels kPortableKernels = {PrepareNothing, PrepareNothing, Rows, Columns};

const ResampleKernels& BestKernels() {
  static const ResampleKernels* const kBest = Avx512Kernels() != nullptr ? Avx512Kernels() : Avx2Kernels();
  return kBest != nullptr ? *kBest : kPortableKernels;
}

}  // namespace gan::preprocess
