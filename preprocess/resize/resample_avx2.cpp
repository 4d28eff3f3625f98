// A 22-bit weight does not fit the 16-bit multiply-add, which is twice as fast as the 32-bit multiply: it is split into
// weight = high * 4096 + low, and sum = (sum of high * pixel) * 4096 + (sum of low * pixel), modulo 2^32 as in C.
#include "preprocess/resize/resample_quads.h"

#if defined(__x86_64__)
#include <immintrin.h>

#include <cstring>

#define GAN_AVX2 __attribute__((target("avx2")))

namespace gan::preprocess {

namespace {

constexpr int kHalf = 1 << (kPrecisionBits - 1);

// The high part is rounded down, so the low part is never negative, and both fit 16 bits with a sign.
std::int16_t Low(std::int32_t weight) { return static_cast<std::int16_t>(weight & 4095); }
std::int16_t High(std::int32_t weight) { return static_cast<std::int16_t>(weight >> 12); }

// For two outputs, four taps each: the lows of taps 0 and 1 as [w0 w1] for each channel, one output in each half; the
// highs; the same of taps 2 and 3.
void PutWeights(const std::int32_t* one, const std::int32_t* two, WeightTable& table) {
  for (const std::size_t tap : {0, 2}) {
    for (const auto part : {Low, High}) {
      for (const std::int32_t* weights : {one, two}) {
        for (int channel = 0; channel < 4; ++channel) {
          table.Put(part(weights[tap]));
          table.Put(part(weights[tap + 1]));
        }
      }
    }
  }
}

void PrepareRows(Axis& axis) {
  const Quads q = QuadsOf(axis);
  axis.start = q.start;
  for (std::size_t pair = 0; pair < 2 * q.quads; ++pair) {
    const std::int32_t* weights = &q.weights[8 * q.steps * pair];
    for (std::size_t s = 0; s < q.steps; ++s) PutWeights(weights + 4 * s, weights + 4 * (q.steps + s), axis.table);
  }
}

GAN_AVX2 __m128i Load(const std::uint8_t* bytes) { return _mm_loadu_si128(reinterpret_cast<const __m128i*>(bytes)); }

GAN_AVX2 __m256i Finish(__m256i low, __m256i high) {
  const __m256i sum = _mm256_add_epi32(low, _mm256_slli_epi32(high, 12));
  return _mm256_srai_epi32(_mm256_add_epi32(sum, _mm256_set1_epi32(kHalf)), kPrecisionBits);
}

// Two outputs: 32-bit [r g b -] of each.
GAN_AVX2 __m256i Pair(const std::uint8_t* one, const std::uint8_t* two, const __m256i* weights, std::size_t steps) {
  // Four pixels, 12 bytes, as 16-bit pairs of neighbours: [r0 r1 g0 g1 b0 b1 - -] and the same of pixels 2 and 3.
  const __m256i first = _mm256_setr_epi8(0, -1, 3, -1, 1, -1, 4, -1, 2, -1, 5, -1, -1, -1, -1, -1,  //
                                         0, -1, 3, -1, 1, -1, 4, -1, 2, -1, 5, -1, -1, -1, -1, -1);
  const __m256i second = _mm256_setr_epi8(6, -1, 9, -1, 7, -1, 10, -1, 8, -1, 11, -1, -1, -1, -1, -1,  //
                                          6, -1, 9, -1, 7, -1, 10, -1, 8, -1, 11, -1, -1, -1, -1, -1);
  __m256i low = _mm256_setzero_si256();
  __m256i high = _mm256_setzero_si256();
  for (std::size_t s = 0; s < steps; ++s, one += 12, two += 12, weights += 4) {
    const __m256i bytes = _mm256_inserti128_si256(_mm256_castsi128_si256(Load(one)), Load(two), 1);
    const __m256i a = _mm256_shuffle_epi8(bytes, first);
    const __m256i b = _mm256_shuffle_epi8(bytes, second);
    low = _mm256_add_epi32(low, _mm256_madd_epi16(a, _mm256_loadu_si256(weights)));
    high = _mm256_add_epi32(high, _mm256_madd_epi16(a, _mm256_loadu_si256(weights + 1)));
    low = _mm256_add_epi32(low, _mm256_madd_epi16(b, _mm256_loadu_si256(weights + 2)));
    high = _mm256_add_epi32(high, _mm256_madd_epi16(b, _mm256_loadu_si256(weights + 3)));
  }
  return Finish(low, high);
}

// Four outputs, 12 bytes; the rest is zero.
GAN_AVX2 __m128i Quad(const std::uint8_t* in, const std::uint32_t* start, const __m256i* weights, std::size_t steps) {
  const __m256i one = Pair(in + start[0], in + start[1], weights, steps);
  const __m256i two = Pair(in + start[2], in + start[3], weights + 4 * steps, steps);
  const __m256i words = _mm256_packs_epi32(one, two);  // saturation is the clamp to 0..255
  const __m256i bytes = _mm256_packus_epi16(words, words);
  // Outputs 0 and 2 are in the lower half, 1 and 3 in the upper one.
  const __m128i even = _mm256_castsi256_si128(bytes), odd = _mm256_extracti128_si256(bytes, 1);
  return _mm_shuffle_epi8(_mm_unpacklo_epi32(even, odd),
                          _mm_setr_epi8(0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14, -1, -1, -1, -1));
}

GAN_AVX2 void Rows(const std::uint8_t* in, std::size_t in_bytes, std::uint32_t count, const Axis& axis,
                   std::uint8_t* out) {
  if (axis.table.empty()) return kPortableKernels.rows(in, in_bytes, count, axis, out);
  const std::size_t steps = (axis.stride + 3) / 4;
  const std::size_t last = std::size_t{12} * ((axis.outputs - 1) / 4);  // where the last four begin
  const std::size_t left = 3 * std::size_t{axis.outputs} - last;
  for (std::uint32_t y = 0; y < count; ++y, in += in_bytes, out += 3 * std::size_t{axis.outputs}) {
    const auto* weights = reinterpret_cast<const __m256i*>(axis.table.data());
    const std::uint32_t* start = axis.start.data();
    for (std::size_t x = 0; x < last; x += 12, start += 4, weights += 8 * steps) {
      const __m128i quad = Quad(in, start, weights, steps);
      // Twelve bytes in two stores. One of sixteen would overwrite what stands behind the row.
      _mm_storel_epi64(reinterpret_cast<__m128i*>(out + x), quad);
      const int rest = _mm_extract_epi32(quad, 2);
      std::memcpy(out + x + 8, &rest, sizeof rest);
    }
    std::uint8_t rest[16];
    _mm_storeu_si128(reinterpret_cast<__m128i*>(rest), Quad(in, start, weights, steps));
    std::memcpy(out + last, rest, left);
  }
}

// Per output and two taps: their lows and their highs, as the multiply-add wants them.
void PrepareColumns(Axis& axis) {
  for (std::size_t i = 0; i < axis.outputs; ++i) {
    for (std::size_t k = 0; k < axis.stride; k += 2) {
      const std::int32_t one = axis.weights[i * axis.stride + k];
      const std::int32_t two = k + 1 < axis.stride ? axis.weights[i * axis.stride + k + 1] : 0;
      axis.table.Put(Low(one));
      axis.table.Put(Low(two));
      axis.table.Put(High(one));
      axis.table.Put(High(two));
    }
  }
}

GAN_AVX2 void SixteenColumns(const std::uint8_t* rows, std::size_t row_bytes, const std::int32_t* weights,
                             std::uint32_t count, std::uint8_t* out) {
  __m256i low_a = _mm256_setzero_si256(), low_b = low_a, high_a = low_a, high_b = low_a;
  for (std::uint32_t k = 0; k < count; k += 2, rows += 2 * row_bytes, weights += 2) {
    const __m256i one_row = _mm256_cvtepu8_epi16(Load(rows));
    const __m256i other_row = k + 1 < count ? _mm256_cvtepu8_epi16(Load(rows + row_bytes)) : _mm256_setzero_si256();
    const __m256i a = _mm256_unpacklo_epi16(one_row, other_row);
    const __m256i b = _mm256_unpackhi_epi16(one_row, other_row);
    const __m256i low = _mm256_set1_epi32(weights[0]);
    const __m256i high = _mm256_set1_epi32(weights[1]);
    low_a = _mm256_add_epi32(low_a, _mm256_madd_epi16(a, low));
    low_b = _mm256_add_epi32(low_b, _mm256_madd_epi16(b, low));
    high_a = _mm256_add_epi32(high_a, _mm256_madd_epi16(a, high));
    high_b = _mm256_add_epi32(high_b, _mm256_madd_epi16(b, high));
  }
  // The unpacks worked within halves, and so do these packs: the order comes out as it went in.
  const __m256i words = _mm256_packs_epi32(Finish(low_a, high_a), Finish(low_b, high_b));
  const __m128i bytes = _mm_packus_epi16(_mm256_castsi256_si128(words), _mm256_extracti128_si256(words, 1));
  _mm_storeu_si128(reinterpret_cast<__m128i*>(out), bytes);
}

GAN_AVX2 void Columns(const std::uint8_t* in, std::size_t row_bytes, const Axis& axis, std::uint32_t i,
                      std::uint8_t* out) {
  if (row_bytes < 16) return kPortableKernels.columns(in, row_bytes, axis, i, out);
  const std::uint8_t* rows = in + row_bytes * axis.first[i];
  const auto* weights = reinterpret_cast<const std::int32_t*>(axis.table.data()) + 2 * ((axis.stride + 1) / 2) * i;
  for (std::size_t x = 0; x < row_bytes; x += 16) {
    if (x + 16 > row_bytes) x = row_bytes - 16;  // the last ones again rather than beyond the end
    SixteenColumns(rows + x, row_bytes, weights, axis.count[i], out + x);
  }
}

}  // namespace

const ResampleKernels* Avx2Kernels() {
  static constexpr ResampleKernels kKernels = {PrepareRows, PrepareColumns, Rows, Columns};
  return __builtin_cpu_supports("avx2") != 0 ? &kKernels : nullptr;
}

}  // namespace gan::preprocess

#else

namespace gan::preprocess {
const ResampleKernels* Avx2Kernels() { return nullptr; }
}  // namespace gan::preprocess

#endif
