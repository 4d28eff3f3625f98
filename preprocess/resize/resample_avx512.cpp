// Uses the byte multiply-add of AVX-512 VNNI. A weight is three signed bytes, weight = (a * 256 + b) * 256 + c, and the
// sums are combined in the same way, modulo 2^32. Four outputs are computed at once.
#include "preprocess/resize/resample_quads.h"

#if defined(__x86_64__)
// GCC 12 warns of the operand inside these intrinsics that is undefined on purpose (its bug 105593).
#if !defined(__clang__)
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif
#include <immintrin.h>

#include <cstring>

#include <algorithm>
#include <array>

#define GAN_AVX512 __attribute__((target("avx512f,avx512bw,avx512vl,avx512vnni,avx512vbmi")))

namespace gan::preprocess {

namespace {

constexpr int kHalf = 1 << (kPrecisionBits - 1);
constexpr std::uint32_t kPixels = 12;  // four pixels

// The instruction multiplies unsigned bytes, the pixels, by signed ones. So the digits are from -128 to 127, and each
// step carries the rest.
std::array<std::int8_t, 3> Digits(std::int32_t weight) {
  const auto c = static_cast<std::int8_t>(weight & 255);
  const std::int32_t rest = (weight - c) / 256;
  const auto b = static_cast<std::int8_t>(rest & 255);
  return {static_cast<std::int8_t>((rest - b) / 256), b, c};
}

constexpr std::size_t kWindow = 64;  // bytes of one load

// How the taps of four neighbouring outputs are loaded into a window.
enum class Reach {
  kAll,       // all are in the window that begins at the first output's first tap
  kEachStep,  // for every four taps, those of all outputs are in the window that begins at the first output's
  kNone
};

Reach ReachOf(const Quads& q) {
  std::size_t widest = 0;
  for (std::size_t i = 0; i < q.start.size(); i += 4) {
    widest = std::max<std::size_t>(widest, q.start[i + 3] - q.start[i]);
  }
  if (widest + kPixels * q.steps <= kWindow) return Reach::kAll;
  return widest + kPixels <= kWindow ? Reach::kEachStep : Reach::kNone;
}

// The positions in the window of the taps of each output, by channel. `skip`: bytes before them.
void PutOrder(const std::uint32_t* start, std::size_t skip, WeightTable& table) {
  for (int output = 0; output < 4; ++output) {
    for (std::size_t channel = 0; channel < 4; ++channel) {
      for (std::size_t tap = 0; tap < 4; ++tap) {
        const std::size_t at = start[output] - start[0] + skip + 3 * tap + std::min<std::size_t>(channel, 2);
        table.Put(static_cast<std::uint8_t>(at));
      }
    }
  }
}

void PutDigits(const Quads& q, std::size_t quad, std::size_t step, WeightTable& table) {
  for (std::size_t digit = 0; digit < 3; ++digit) {
    for (std::size_t output = 4 * quad; output < 4 * quad + 4; ++output) {
      const std::int32_t* weights = &q.weights[4 * (output * q.steps + step)];
      for (std::size_t channel = 0; channel < 4; ++channel) {
        for (std::size_t tap = 0; tap < 4; ++tap) table.Put(Digits(weights[tap])[digit]);
      }
    }
  }
}

// For every four outputs and four taps: the order of their bytes in the window, then the three digits of their weights.
// The last entry of `start` is not a position; it says whether all taps are in one window.
void PrepareRows(Axis& axis) {
  const Quads q = QuadsOf(axis);
  const Reach reach = ReachOf(q);
  if (q.quads == 0 || reach == Reach::kNone) return Avx2Kernels()->prepare_rows(axis);
  for (std::size_t quad = 0; quad < q.quads; ++quad) {
    axis.start.push_back(q.start[4 * quad]);
    for (std::size_t s = 0; s < q.steps; ++s) {
      PutOrder(&q.start[4 * quad], reach == Reach::kAll ? kPixels * s : 0, axis.table);
      PutDigits(q, quad, s, axis.table);
    }
  }
  axis.start.push_back(reach == Reach::kAll ? 1 : 0);
}

struct Sums {
  __m512i a, b, c;
};

GAN_AVX512 inline __m512i Load(const void* bytes) { return _mm512_loadu_si512(bytes); }

GAN_AVX512 inline void Add(__m512i window, const std::byte* table, Sums& sums) {
  const __m512i bytes = _mm512_permutexvar_epi8(Load(table), window);
  // Not the saturating variant, because the sums are right modulo 2^32 in any order.
  sums.a = _mm512_dpbusd_epi32(sums.a, bytes, Load(table + 64));
  sums.b = _mm512_dpbusd_epi32(sums.b, bytes, Load(table + 128));
  sums.c = _mm512_dpbusd_epi32(sums.c, bytes, Load(table + 192));
}

GAN_AVX512 inline __m512i Shifted(const Sums& sums) {
  const __m512i upper = _mm512_add_epi32(_mm512_slli_epi32(sums.a, 8), sums.b);
  return _mm512_srai_epi32(_mm512_add_epi32(_mm512_slli_epi32(upper, 8), sums.c), kPrecisionBits);
}

// Four outputs are 12 bytes; the rest is zero.
GAN_AVX512 inline __m128i Finish(const Sums& sums) {
  const __m128i bytes = _mm512_cvtusepi32_epi8(_mm512_max_epi32(Shifted(sums), _mm512_setzero_si512()));
  return _mm_shuffle_epi8(bytes, _mm_setr_epi8(0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14, -1, -1, -1, -1));
}

GAN_AVX512 inline Sums Begin() { return {_mm512_setzero_si512(), _mm512_setzero_si512(), _mm512_set1_epi32(kHalf)}; }

// Writes as much as the row has space for: 12 bytes and, if more follow, 4 bytes that the next call overwrites.
GAN_AVX512 inline void Store(__m128i quad, std::uint32_t left, std::uint8_t* out) {
  if (left >= 16) return _mm_storeu_si128(reinterpret_cast<__m128i*>(out), quad);
  std::uint8_t bytes[16];
  _mm_storeu_si128(reinterpret_cast<__m128i*>(bytes), quad);
  std::memcpy(out, bytes, std::min(left, kPixels));
}

// Two rows at a time share the loads of the table. For a single row both are the same.
template <bool kAllInOne>
GAN_AVX512 void TwoRows(const std::uint8_t* one, const std::uint8_t* two, const Axis& axis, std::uint8_t* one_out,
                        std::uint8_t* two_out) {
  const std::size_t steps = (axis.stride + 3) / 4;
  const std::byte* table = axis.table.data();
  for (std::uint32_t i = 0, left = 3 * axis.outputs; i + 1 < axis.start.size(); ++i, left -= kPixels) {
    const std::uint32_t start = axis.start[i];
    __m512i one_window = Load(one + start), two_window = Load(two + start);
    Sums first = Begin(), second = Begin();
    for (std::size_t s = 0; s < steps; ++s, table += 256) {
      if (!kAllInOne && s > 0) {
        one_window = Load(one + start + kPixels * s);
        two_window = Load(two + start + kPixels * s);
      }
      Add(one_window, table, first);
      Add(two_window, table, second);
    }
    Store(Finish(first), left, one_out + std::size_t{kPixels} * i);
    Store(Finish(second), left, two_out + std::size_t{kPixels} * i);
  }
}

GAN_AVX512 void Rows(const std::uint8_t* in, std::size_t in_bytes, std::uint32_t count, const Axis& axis,
                     std::uint8_t* out) {
  if (axis.start.size() != (axis.outputs + 3) / 4 + 1) return Avx2Kernels()->rows(in, in_bytes, count, axis, out);
  const auto two_rows = axis.start.back() != 0 ? TwoRows<true> : TwoRows<false>;
  const std::size_t out_bytes = std::size_t{3} * axis.outputs;
  for (std::uint32_t y = 0; y < count; y += 2) {
    const std::uint32_t other = std::min(y + 1, count - 1);
    two_rows(in + y * in_bytes, in + other * in_bytes, axis, out + y * out_bytes, out + other * out_bytes);
  }
}

// Prepares the three digits of the weights, 4 bytes each, per output and four taps.
void PrepareColumns(Axis& axis) {
  for (std::size_t i = 0; i < axis.outputs; ++i) {
    for (std::size_t k = 0; k < axis.stride; k += 4) {
      for (std::size_t digit = 0; digit < 3; ++digit) {
        for (std::size_t tap = k; tap < k + 4; ++tap) {
          axis.table.Put(Digits(tap < axis.stride ? axis.weights[i * axis.stride + tap] : 0)[digit]);
        }
      }
    }
  }
}

struct FourRows {
  __m512i of[4];
};

struct FourSums {
  Sums of[4];
};

GAN_AVX512 inline void AddRows(const FourRows& rows, const std::int32_t* weights, FourSums& sums) {
  const __m512i ab_low = _mm512_unpacklo_epi8(rows.of[0], rows.of[1]),
                ab_high = _mm512_unpackhi_epi8(rows.of[0], rows.of[1]);
  const __m512i cd_low = _mm512_unpacklo_epi8(rows.of[2], rows.of[3]),
                cd_high = _mm512_unpackhi_epi8(rows.of[2], rows.of[3]);
  const FourRows taps = {{_mm512_unpacklo_epi16(ab_low, cd_low), _mm512_unpackhi_epi16(ab_low, cd_low),
                          _mm512_unpacklo_epi16(ab_high, cd_high), _mm512_unpackhi_epi16(ab_high, cd_high)}};
  const __m512i a = _mm512_set1_epi32(weights[0]), b = _mm512_set1_epi32(weights[1]), c = _mm512_set1_epi32(weights[2]);
  for (std::size_t i = 0; i < 4; ++i) {
    sums.of[i].a = _mm512_dpbusd_epi32(sums.of[i].a, taps.of[i], a);
    sums.of[i].b = _mm512_dpbusd_epi32(sums.of[i].b, taps.of[i], b);
    sums.of[i].c = _mm512_dpbusd_epi32(sums.of[i].c, taps.of[i], c);
  }
}

// The unpacks worked within parts of 16 bytes, and so do these packs, so the original order is restored.
GAN_AVX512 inline __m512i Packed(const FourSums& sums) {
  return _mm512_packus_epi16(_mm512_packs_epi32(Shifted(sums.of[0]), Shifted(sums.of[1])),
                             _mm512_packs_epi32(Shifted(sums.of[2]), Shifted(sums.of[3])));
}

GAN_AVX512 void Columns(const std::uint8_t* in, std::size_t row_bytes, const Axis& axis, std::uint32_t i,
                        std::uint8_t* out) {
  const std::uint32_t count = axis.count[i];
  const auto* all = reinterpret_cast<const std::int32_t*>(axis.table.data()) + 3 * ((axis.stride + 3) / 4) * i;
  for (std::size_t x = 0; x < row_bytes; x += 64) {
    const std::size_t left = std::min<std::size_t>(row_bytes - x, 64);
    const auto mask = static_cast<__mmask64>(left == 64 ? ~0ULL : (1ULL << left) - 1);
    const std::uint8_t* row = in + row_bytes * axis.first[i] + x;
    FourSums sums = {{Begin(), Begin(), Begin(), Begin()}};
    const std::int32_t* weights = all;
    for (std::uint32_t k = 0; k < count; k += 4, weights += 3) {
      FourRows rows;
      for (std::uint32_t tap = 0; tap < 4; ++tap, row += row_bytes) {
        rows.of[tap] = _mm512_maskz_loadu_epi8(k + tap < count ? mask : 0, row);
      }
      AddRows(rows, weights, sums);
    }
    _mm512_mask_storeu_epi8(out + x, mask, Packed(sums));
  }
}

}  // namespace

const ResampleKernels* Avx512Kernels() {
  static constexpr ResampleKernels kKernels = {PrepareRows, PrepareColumns, Rows, Columns};
  // Processors with AVX-512 may lack VNNI or VBMI, so each extension is checked.
  const bool there = __builtin_cpu_supports("avx512bw") != 0 && __builtin_cpu_supports("avx512vl") != 0 &&
                     __builtin_cpu_supports("avx512vnni") != 0 && __builtin_cpu_supports("avx512vbmi") != 0;
  return there && Avx2Kernels() != nullptr ? &kKernels : nullptr;
}

}  // namespace gan::preprocess

#else

namespace gan::preprocess {
const ResampleKernels* Avx512Kernels() { return nullptr; }
}  // namespace gan::preprocess

#endif
