// The inner loops of the resize, one version that every machine runs and one with AVX2. Both give the same bits: the
// sums are integers modulo 2^32, whatever their order.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace gan::preprocess {

// Pillow's fixed point: weights have 22 fractional bits.
constexpr int kPrecisionBits = 32 - 8 - 2;

constexpr std::size_t kReadBeyond = 4;  // 16 bytes are read where four pixels are used

// The weights of one axis for the outputs that the crop keeps. Every output has `stride` taps, a multiple of four that
// begins at `first` and stays inside the input at hand wherever that is long enough; unused taps weigh 0.
struct Axis {
  std::uint32_t outputs = 0;
  std::size_t stride = 0;
  std::vector<std::uint32_t> first;   // [outputs] first input of each
  std::vector<std::uint32_t> count;   // [outputs] taps up to the last that weighs
  std::vector<std::int32_t> weights;  // [outputs][stride]
  // The same for AVX2: weight = high * 4096 + low; for each four taps four lows, then four highs. Empty when the input
  // at hand is shorter than the stride.
  std::vector<std::int16_t> split;  // [outputs][stride / 4][8]
};

struct ResampleKernels {
  // in: one row of RGB with kReadBeyond bytes behind it that may be read; out: axis.outputs pixels.
  void (*row)(const std::uint8_t* in, const Axis& axis, std::uint8_t* out);
  // rows: `count` consecutive rows of `row_bytes`; out: one row, their weighted sum.
  void (*columns)(const std::uint8_t* rows, std::size_t row_bytes, const std::int32_t* weights, std::uint32_t count,
                  std::uint8_t* out);
};

extern const ResampleKernels kPortableKernels;
// Null where this processor lacks AVX2.
const ResampleKernels* Avx2Kernels();
const ResampleKernels& BestKernels();

}  // namespace gan::preprocess
