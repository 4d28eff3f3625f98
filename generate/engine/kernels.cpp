#include "generate/engine/kernels.h"

#include <algorithm>

#include "generate/engine/vector.h"
#include "generate/engine/winograd_tiles.h"

namespace gan::generate {

namespace {

// All functions below are always inlined, so that they are compiled for their caller's processor.

// Keeps kRows x 16 numbers in registers at a time.
template <int kFloats, std::size_t kRows>
[[gnu::always_inline]] inline void MultiplyRows(const float* a, const float* b, std::size_t depth, float* c,
                                                std::size_t row_floats) {
  using V = typename Vector<kFloats>::Type;
  constexpr std::size_t kVectors = kTileColumns / kFloats;
  V sums[kRows][kVectors];
  for (std::size_t r = 0; r < kRows; ++r) {
    for (std::size_t v = 0; v < kVectors; ++v) {
      sums[r][v] = At<kFloats>(c + r * row_floats + v * kFloats);
    }
  }
  for (std::size_t k = 0; k < depth; ++k) {
    V right[kVectors];
    for (std::size_t v = 0; v < kVectors; ++v) right[v] = At<kFloats>(b + k * kTileColumns + v * kFloats);
    for (std::size_t r = 0; r < kRows; ++r) {
      const float left = a[k * kTaps + r];
      for (std::size_t v = 0; v < kVectors; ++v) sums[r][v] += left * right[v];
    }
  }
  for (std::size_t r = 0; r < kRows; ++r) {
    for (std::size_t v = 0; v < kVectors; ++v) {
      At<kFloats>(c + r * row_floats + v * kFloats) = sums[r][v];
    }
  }
}

template <int kFloats, std::size_t kRows>
[[gnu::always_inline]] inline void Multiply(const float* a, const float* b, std::size_t depth, float* c,
                                            std::size_t row_floats) {
  constexpr std::size_t kLast = kTaps % kRows;
  for (std::size_t r = 0; r + kLast < kTaps; r += kRows) {
    MultiplyRows<kFloats, kRows>(a + r, b, depth, c + r * row_floats, row_floats);
  }
  if constexpr (kLast > 0) {
    const std::size_t r = kTaps - kLast;
    MultiplyRows<kFloats, kLast>(a + r, b, depth, c + r * row_floats, row_floats);
  }
}

// tanh to 4e-7 relative: the rational function of Eigen and XLA (degree 13 over 6), which needs no library call and so
// is computed for many pixels at once. |x| beyond 7.9 gives +-1 to the last bit but one.
[[gnu::always_inline]] inline float Tanh(float value) {
  const float low = value < -7.90531110763549805F ? -7.90531110763549805F : value;
  const float x = low > 7.90531110763549805F ? 7.90531110763549805F : low;
  const float s = x * x;
  float p = -2.76076847742355e-16F * s + 2.00018790482477e-13F;
  p = p * s - 8.60467152213735e-11F;
  p = p * s + 5.12229709037114e-08F;
  p = p * s + 1.48572235717979e-05F;
  p = p * s + 6.37261928875436e-04F;
  p = p * s + 4.89352455891786e-03F;
  float q = 1.19825839466702e-06F * s + 1.18534705686654e-04F;
  q = q * s + 2.26843463243900e-03F;
  q = q * s + 4.89352518554385e-03F;
  return x * p / q;
}

[[gnu::always_inline]] inline void ActivateAll(float* values, std::size_t count, float shift, Activation activation) {
  if (activation == Activation::kRelu) {
    for (std::size_t i = 0; i < count; ++i) values[i] = values[i] + shift > 0 ? values[i] + shift : 0;
  } else if (activation == Activation::kTanh) {
    for (std::size_t i = 0; i < count; ++i) values[i] = Tanh(values[i] + shift);
  } else {
    for (std::size_t i = 0; i < count; ++i) values[i] += shift;
  }
}

// The even output pixels of a row get taps 1 and 3 of the kernel, the odd ones taps 2 and 0: from the input pixel in
// the same place, and from its left or right neighbour.
[[gnu::always_inline]] inline void AddAndActivate(const RowShares& s, std::size_t side, float shift,
                                                  Activation activation, float* out) {
  float even[kMostSide], odd[kMostSide];
  // The order of the four shares is fixed. Another order could change the last bits, and with them the image of a seed.
  even[0] = s.near[1][0] + s.far[1][0];
  for (std::size_t x = 1; x < side; ++x) even[x] = s.near[1][x] + s.far[1][x] + (s.near[3][x - 1] + s.far[3][x - 1]);
  for (std::size_t x = 0; x + 1 < side; ++x) odd[x] = s.near[2][x] + s.far[2][x] + (s.near[0][x + 1] + s.far[0][x + 1]);
  odd[side - 1] = s.near[2][side - 1] + s.far[2][side - 1];
  ActivateAll(even, side, shift, activation);
  ActivateAll(odd, side, shift, activation);
  for (std::size_t x = 0; x < side; ++x) {
    out[2 * x] = even[x];
    out[2 * x + 1] = odd[x];
  }
}

void MultiplyPlain(const float* a, const float* b, std::size_t depth, float* c, std::size_t row_floats) {
  // 2 rows × 4 vectors of sums and 4 vectors of the right side fit into the 16 registers of SSE.
  Multiply<4, 2>(a, b, depth, c, row_floats);
}
void WritePlain(const RowShares& shares, std::size_t side, float shift, Activation activation, float* out) {
  AddAndActivate(shares, side, shift, activation, out);
}
void ActivatePlain(float* values, std::size_t count, float shift, Activation activation) {
  ActivateAll(values, count, shift, activation);
}
void SumPlain(const TilePixels& pixels, float* sums, std::size_t stride) { SumTiles<4>(pixels, sums, stride); }
void JoinPlain(const float* products, std::size_t stride, float* rows) { JoinTiles<4>(products, stride, rows); }
constexpr Kernels kPlain = {MultiplyPlain, WritePlain, ActivatePlain, SumPlain, JoinPlain};

#ifdef __x86_64__
[[gnu::target("avx2,fma")]] void MultiplyAvx2(const float* a, const float* b, std::size_t depth, float* c,
                                              std::size_t row_floats) {
  // 6 rows × 2 vectors of sums leave 4 of the 16 registers. The 16 taps are 6, 6 and 4 rows.
  Multiply<8, 6>(a, b, depth, c, row_floats);
}
[[gnu::target("avx2,fma")]] void WriteAvx2(const RowShares& shares, std::size_t side, float shift,
                                           Activation activation, float* out) {
  AddAndActivate(shares, side, shift, activation, out);
}
[[gnu::target("avx2,fma")]] void ActivateAvx2(float* values, std::size_t count, float shift, Activation activation) {
  ActivateAll(values, count, shift, activation);
}
[[gnu::target("avx2,fma")]] void SumAvx2(const TilePixels& pixels, float* sums, std::size_t stride) {
  SumTiles<8>(pixels, sums, stride);
}
[[gnu::target("avx2,fma")]] void JoinAvx2(const float* products, std::size_t stride, float* rows) {
  JoinTiles<8>(products, stride, rows);
}
constexpr Kernels kAvx2 = {MultiplyAvx2, WriteAvx2, ActivateAvx2, SumAvx2, JoinAvx2};

[[gnu::target("avx512f,fma")]] void MultiplyAvx512(const float* a, const float* b, std::size_t depth, float* c,
                                                   std::size_t row_floats) {
  // AVX-512 has 32 registers: all 16 rows at once.
  Multiply<16, 16>(a, b, depth, c, row_floats);
}
constexpr Kernels kAvx512 = {MultiplyAvx512, WriteAvx2, ActivateAvx2, SumAvx2, JoinAvx2};
#endif

}  // namespace

std::vector<const Kernels*> SupportedKernels() {
  std::vector<const Kernels*> supported = {&kPlain};
#ifdef __x86_64__
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) {
    supported.push_back(&kAvx2);
    if (__builtin_cpu_supports("avx512f")) supported.push_back(&kAvx512);
  }
#endif
  return supported;
}

const Kernels& FastestKernels() {
  static const Kernels& fastest = *SupportedKernels().back();
  return fastest;
}

}  // namespace gan::generate
