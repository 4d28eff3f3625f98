// A 22-bit weight does not fit the 16-bit multiply-add, which is twice as fast as the 32-bit multiply: it is split into
// weight = high * 4096 + low, and sum = (sum of high * pixel) * 4096 + (sum of low * pixel), modulo 2^32 as in C.
#include "preprocess/resample_kernels.h"

#if defined(__x86_64__)
#include <immintrin.h>

#define GAN_AVX2 __attribute__((target("avx2")))

namespace gan::preprocess {

namespace {

constexpr int kHalf = 1 << (kPrecisionBits - 1);

// Four pixels, 12 bytes, as 16-bit pairs of neighbours: [r0 r1 g0 g1 b0 b1 - -] and the same of pixels 2 and 3.
GAN_AVX2 __m256i Pairs(const std::uint8_t* pixels) {
  const __m256i order = _mm256_setr_epi8(0, -1, 3, -1, 1, -1, 4, -1, 2, -1, 5, -1, -1, -1, -1, -1,  //
                                         6, -1, 9, -1, 7, -1, 10, -1, 8, -1, 11, -1, -1, -1, -1, -1);
  const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(pixels));
  return _mm256_shuffle_epi8(_mm256_broadcastsi128_si256(bytes), order);
}

GAN_AVX2 void Row(const std::uint8_t* in, const Axis& axis, std::uint8_t* out) {
  if (axis.split.empty()) return kPortableKernels.row(in, axis, out);
  // [w0 w1] four times, then [w2 w3] four times.
  const __m256i low_order = _mm256_setr_epi32(0, 0, 0, 0, 1, 1, 1, 1);
  const __m256i high_order = _mm256_setr_epi32(2, 2, 2, 2, 3, 3, 3, 3);
  const auto* weights = reinterpret_cast<const __m128i*>(axis.split.data());
  const __m128i pack = _mm_setr_epi8(0, 4, 8, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1);
  for (std::uint32_t i = 0; i < axis.outputs; ++i, out += 3) {
    const std::uint8_t* pixels = in + std::size_t{3} * axis.first[i];
    __m256i low = _mm256_setzero_si256();
    __m256i high = _mm256_setzero_si256();
    for (std::size_t k = 0; k < axis.stride; k += 4, pixels += 12, ++weights) {
      const __m256i pairs = Pairs(pixels);
      const __m256i four = _mm256_castsi128_si256(_mm_loadu_si128(weights));
      low = _mm256_add_epi32(low, _mm256_madd_epi16(pairs, _mm256_permutevar8x32_epi32(four, low_order)));
      high = _mm256_add_epi32(high, _mm256_madd_epi16(pairs, _mm256_permutevar8x32_epi32(four, high_order)));
    }
    const __m256i both = _mm256_add_epi32(low, _mm256_slli_epi32(high, 12));
    __m128i sum = _mm_add_epi32(_mm256_castsi256_si128(both), _mm256_extracti128_si256(both, 1));
    sum = _mm_srai_epi32(_mm_add_epi32(sum, _mm_set1_epi32(kHalf)), kPrecisionBits);
    sum = _mm_min_epi32(_mm_max_epi32(sum, _mm_setzero_si128()), _mm_set1_epi32(255));
    const auto rgb = static_cast<std::uint32_t>(_mm_cvtsi128_si32(_mm_shuffle_epi8(sum, pack)));
    out[0] = static_cast<std::uint8_t>(rgb);
    out[1] = static_cast<std::uint8_t>(rgb >> 8);
    out[2] = static_cast<std::uint8_t>(rgb >> 16);
  }
}

GAN_AVX2 __m256i Wide(const std::uint8_t* bytes) {
  return _mm256_cvtepu8_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(bytes)));
}

GAN_AVX2 __m256i Finish(__m256i low, __m256i high) {
  const __m256i sum = _mm256_add_epi32(low, _mm256_slli_epi32(high, 12));
  return _mm256_srai_epi32(_mm256_add_epi32(sum, _mm256_set1_epi32(kHalf)), kPrecisionBits);
}

// [low of one, low of two] as one 32-bit number, and the same of the highs.
std::int32_t LowPair(std::int32_t one, std::int32_t two) { return (one & 4095) | (two & 4095) << 16; }
std::int32_t HighPair(std::int32_t one, std::int32_t two) {
  return static_cast<std::int32_t>((static_cast<std::uint32_t>(one >> 12) & 0xFFFF) |
                                   static_cast<std::uint32_t>(two >> 12) << 16);
}

GAN_AVX2 void SixteenColumns(const std::uint8_t* rows, std::size_t row_bytes, const std::int32_t* weights,
                             std::uint32_t count, std::uint8_t* out) {
  __m256i low_a = _mm256_setzero_si256(), low_b = low_a, high_a = low_a, high_b = low_a;
  for (std::uint32_t k = 0; k < count; k += 2, rows += 2 * row_bytes) {
    const bool two = k + 1 < count;
    const std::int32_t second = two ? weights[k + 1] : 0;
    const __m256i one_row = Wide(rows);
    const __m256i other_row = two ? Wide(rows + row_bytes) : _mm256_setzero_si256();
    const __m256i a = _mm256_unpacklo_epi16(one_row, other_row);
    const __m256i b = _mm256_unpackhi_epi16(one_row, other_row);
    const __m256i low = _mm256_set1_epi32(LowPair(weights[k], second));
    const __m256i high = _mm256_set1_epi32(HighPair(weights[k], second));
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

GAN_AVX2 void Columns(const std::uint8_t* rows, std::size_t row_bytes, const std::int32_t* weights, std::uint32_t count,
                      std::uint8_t* out) {
  if (row_bytes < 16) return kPortableKernels.columns(rows, row_bytes, weights, count, out);
  for (std::size_t x = 0; x < row_bytes; x += 16) {
    if (x + 16 > row_bytes) x = row_bytes - 16;  // the last ones again rather than beyond the end
    SixteenColumns(rows + x, row_bytes, weights, count, out + x);
  }
}

}  // namespace

const ResampleKernels* Avx2Kernels() {
  static constexpr ResampleKernels kKernels = {Row, Columns};
  return __builtin_cpu_supports("avx2") != 0 ? &kKernels : nullptr;
}

}  // namespace gan::preprocess

#else

namespace gan::preprocess {
const ResampleKernels* Avx2Kernels() { return nullptr; }
}  // namespace gan::preprocess

#endif
