// A 22-bit weight does not fit the 16-bit multiply-add, which is twice as fast as the 32-bit multiply: it is split into
// weight = high * 4096 + low, and sum = (sum of high * pixel) * 4096 + (sum of low * pixel), modulo 2^32 as in C.
#include "preprocess/resize/resample_kernels.h"

#if defined(__x86_64__)
#include <immintrin.h>

#include <cstring>

#include <algorithm>
#include <array>
#include <vector>

#define GAN_AVX2 __attribute__((target("avx2")))

namespace gan::preprocess {

namespace {

constexpr int kHalf = 1 << (kPrecisionBits - 1);
constexpr std::size_t kRows = 8;      // rows that are processed together, one per 32 bits of a vector
constexpr std::size_t kPixels = 12;   // four pixels
constexpr std::size_t kColumns = 32;  // one vector

struct Four {
  __m256i of[4];
};

struct Sums {
  __m256i low, high;
};

// Two neighbouring pixels of eight rows: for each channel and row, 16 bits per pixel pair.
struct alignas(sizeof(__m256i)) PixelPair {
  std::int32_t rows[3][kRows];
};

// The low parts of two weights, then their high parts, in the order of the multiply-add. The high part is rounded down,
// so the low part is never negative, and both fit signed 16 bits.
void PutPair(std::int32_t one, std::int32_t two, WeightTable& table) {
  for (const std::int32_t weight : {one, two}) table.Put(static_cast<std::int16_t>(weight & 4095));
  for (const std::int32_t weight : {one, two}) table.Put(static_cast<std::int16_t>(weight >> 12));
}

// The pairs of pixels that an output needs, counted from the first input of all outputs.
struct Pairs {
  std::uint32_t first, count;
};

Pairs PairsOf(const Axis& axis, std::size_t i) {
  const std::uint32_t begin = axis.first[i] - axis.first[0];
  return {begin / 2, (begin % 2 + axis.count[i] + 1) / 2};
}

void PrepareRows(Axis& axis) {
  for (std::size_t i = 0; i < axis.outputs; ++i) {
    const Pairs pairs = PairsOf(axis, i);
    std::vector<std::int32_t> weights(std::size_t{2} * pairs.count);  // padding has weight 0
    const std::uint32_t skipped = (axis.first[i] - axis.first[0]) % 2;
    std::copy_n(axis.weights.begin() + static_cast<std::ptrdiff_t>(i * axis.stride), axis.count[i],
                weights.begin() + skipped);
    for (std::size_t k = 0; k < weights.size(); k += 2) PutPair(weights[k], weights[k + 1], axis.table);
  }
}

// Prepares the weights of each output, two taps at a time.
void PrepareColumns(Axis& axis) {
  for (std::size_t i = 0; i < axis.outputs; ++i) {
    for (std::size_t k = 0; k < axis.stride; k += 2) {
      const std::int32_t* weights = &axis.weights[i * axis.stride + k];
      PutPair(weights[0], k + 1 < axis.stride ? weights[1] : 0, axis.table);
    }
  }
}

GAN_AVX2 inline __m128i LoadHalf(const std::uint8_t* bytes) {
  return _mm_loadu_si128(reinterpret_cast<const __m128i*>(bytes));
}
GAN_AVX2 inline __m256i Load(const void* bytes) { return _mm256_loadu_si256(static_cast<const __m256i*>(bytes)); }
GAN_AVX2 inline void Store(__m256i vector, void* bytes) { _mm256_storeu_si256(static_cast<__m256i*>(bytes), vector); }
GAN_AVX2 inline __m256i Both(__m128i half) { return _mm256_broadcastsi128_si256(half); }

GAN_AVX2 inline Sums Begin() { return {_mm256_set1_epi32(kHalf), _mm256_setzero_si256()}; }

GAN_AVX2 inline void Add(__m256i pixels, const std::int32_t* weights, Sums& sums) {
  sums.low = _mm256_add_epi32(sums.low, _mm256_madd_epi16(pixels, _mm256_set1_epi32(weights[0])));
  sums.high = _mm256_add_epi32(sums.high, _mm256_madd_epi16(pixels, _mm256_set1_epi32(weights[1])));
  // Without this barrier, GCC adds the products of several taps first, which needs more registers than there are.
  asm("" : "+x"(sums.low), "+x"(sums.high));
}

GAN_AVX2 inline __m256i Finish(const Sums& sums) {
  return _mm256_srai_epi32(_mm256_add_epi32(sums.low, _mm256_slli_epi32(sums.high, 12)), kPrecisionBits);
}

// Each half of a vector has four 32-bit numbers. Vector k receives number k of all four vectors.
GAN_AVX2 inline Four Transposed(const Four& in) {
  const __m256i a = _mm256_unpacklo_epi32(in.of[0], in.of[1]), b = _mm256_unpacklo_epi32(in.of[2], in.of[3]);
  const __m256i c = _mm256_unpackhi_epi32(in.of[0], in.of[1]), d = _mm256_unpackhi_epi32(in.of[2], in.of[3]);
  return {{_mm256_unpacklo_epi64(a, b), _mm256_unpackhi_epi64(a, b), _mm256_unpacklo_epi64(c, d),
           _mm256_unpackhi_epi64(c, d)}};
}

GAN_AVX2 inline void TakeFourPixels(const std::uint8_t* const* rows, std::size_t at, PixelPair* pairs) {
  // [r0 r2 r1 r3 g0 ...]: the lower bytes of the 16-bit numbers are one pair, the upper bytes the other.
  const __m256i order = Both(_mm_setr_epi8(0, 6, 3, 9, 1, 7, 4, 10, 2, 8, 5, 11, -1, -1, -1, -1));
  Four bytes;
  for (std::size_t k = 0; k < 4; ++k) {
    const __m256i upper_row = _mm256_castsi128_si256(LoadHalf(rows[k] + at));
    const __m256i two_rows = _mm256_inserti128_si256(upper_row, LoadHalf(rows[k + 4] + at), 1);
    bytes.of[k] = _mm256_shuffle_epi8(two_rows, order);
  }
  const Four channels = Transposed(bytes);
  for (std::size_t c = 0; c < 3; ++c) {
    Store(_mm256_and_si256(channels.of[c], _mm256_set1_epi16(255)), pairs[0].rows[c]);
    Store(_mm256_srli_epi16(channels.of[c], 8), pairs[1].rows[c]);
  }
}

// One output of eight rows, as [r g b b] each.
GAN_AVX2 inline __m256i Output(const PixelPair* pair, std::uint32_t count, const std::int32_t* weights) {
  Sums red = Begin(), green = Begin(), blue = Begin();
  for (; count > 0; --count, ++pair, weights += 2) {
    Add(Load(pair->rows[0]), weights, red);
    Add(Load(pair->rows[1]), weights, green);
    Add(Load(pair->rows[2]), weights, blue);
  }
  const __m256i b = Finish(blue);  // packing saturates, which is the clamp to 0..255
  const __m256i bytes = _mm256_packus_epi16(_mm256_packs_epi32(Finish(red), Finish(green)), _mm256_packs_epi32(b, b));
  return _mm256_shuffle_epi8(bytes, Both(_mm_setr_epi8(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15)));
}

// Writes as much as the row has space for: four outputs and, if more follow, 4 bytes that these overwrite.
GAN_AVX2 inline void StoreQuad(__m128i quad, std::size_t left, std::uint8_t* out) {
  if (left >= sizeof quad) return _mm_storeu_si128(reinterpret_cast<__m128i*>(out), quad);
  std::uint8_t bytes[sizeof quad];
  _mm_storeu_si128(reinterpret_cast<__m128i*>(bytes), quad);
  std::memcpy(out, bytes, std::min(left, kPixels));
}

GAN_AVX2 inline void StoreQuads(const Four& outputs, std::size_t left, std::uint8_t* const* rows, std::size_t at) {
  const __m256i order = Both(_mm_setr_epi8(0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14, -1, -1, -1, -1));
  const Four by_row = Transposed(outputs);
  for (std::size_t k = 0; k < 4; ++k) {
    const __m256i quads = _mm256_shuffle_epi8(by_row.of[k], order);
    StoreQuad(_mm256_castsi256_si128(quads), left, rows[k] + at);
    StoreQuad(_mm256_extracti128_si256(quads, 1), left, rows[k + 4] + at);
  }
}

// Collects the inputs of the outputs in groups of four. Inputs that are read beyond them have weight 0.
GAN_AVX2 const PixelPair* TakePixels(const std::uint8_t* const* rows, const Axis& axis) {
  thread_local std::vector<PixelPair> room;
  const std::uint32_t first = axis.first[0], end = axis.first.back() + axis.count.back();
  room.resize(std::max<std::size_t>(room.size(), std::size_t{2} * ((end - first + 3) / 4)));
  PixelPair* pairs = room.data();
  for (std::uint32_t x = first; x < end; x += 4, pairs += 2) TakeFourPixels(rows, std::size_t{3} * x, pairs);
  return room.data();
}

GAN_AVX2 void EightRows(const std::uint8_t* const* in, const Axis& axis, std::uint8_t* const* out) {
  const PixelPair* const pixels = TakePixels(in, axis);
  const auto* weights = reinterpret_cast<const std::int32_t*>(axis.table.data());
  for (std::uint32_t i = 0; i < axis.outputs; i += 4) {
    Four outputs = {};
    for (std::uint32_t k = 0; k < 4 && i + k < axis.outputs; ++k) {
      const Pairs pairs = PairsOf(axis, i + k);
      outputs.of[k] = Output(pixels + pairs.first, pairs.count, weights);
      weights += std::size_t{2} * pairs.count;
    }
    StoreQuads(outputs, std::size_t{3} * (axis.outputs - i), out, std::size_t{3} * i);
  }
}

void Rows(const std::uint8_t* in, std::size_t in_bytes, std::uint32_t count, const Axis& axis, std::uint8_t* out) {
  const std::size_t out_bytes = std::size_t{3} * axis.outputs;
  for (std::uint32_t y = 0; y < count; y += kRows) {
    std::array<const std::uint8_t*, kRows> from;
    std::array<std::uint8_t*, kRows> to;
    for (std::uint32_t k = 0; k < kRows; ++k) {
      const std::size_t row = std::min(y + k, count - 1);  // repeats the last row instead of reading beyond it
      from[k] = in + row * in_bytes;
      to[k] = out + row * out_bytes;
    }
    EightRows(from.data(), axis, to.data());
  }
}

GAN_AVX2 void SomeColumns(const std::uint8_t* rows, std::size_t row_bytes, const std::int32_t* weights,
                          std::uint32_t count, std::uint8_t* out) {
  const __m256i zero = _mm256_setzero_si256();
  Sums a = Begin(), b = a, c = a, d = a;
  for (std::uint32_t k = 0; k < count; k += 2, rows += 2 * row_bytes, weights += 2) {
    const __m256i one = Load(rows), two = k + 1 < count ? Load(rows + row_bytes) : zero;
    const __m256i lower = _mm256_unpacklo_epi8(one, two), upper = _mm256_unpackhi_epi8(one, two);
    Add(_mm256_unpacklo_epi8(lower, zero), weights, a);
    Add(_mm256_unpackhi_epi8(lower, zero), weights, b);
    Add(_mm256_unpacklo_epi8(upper, zero), weights, c);
    Add(_mm256_unpackhi_epi8(upper, zero), weights, d);
  }
  // The unpacks worked within halves, and so do these packs, so the original order is restored.
  Store(_mm256_packus_epi16(_mm256_packs_epi32(Finish(a), Finish(b)), _mm256_packs_epi32(Finish(c), Finish(d))), out);
}

GAN_AVX2 void Columns(const std::uint8_t* in, std::size_t row_bytes, const Axis& axis, std::uint32_t i,
                      std::uint8_t* out) {
  if (row_bytes < kColumns) return kPortableKernels.columns(in, row_bytes, axis, i, out);
  const std::uint8_t* rows = in + row_bytes * axis.first[i];
  const auto* weights = reinterpret_cast<const std::int32_t*>(axis.table.data()) + 2 * ((axis.stride + 1) / 2) * i;
  for (std::size_t x = 0; x < row_bytes; x += kColumns) {
    x = std::min(x, row_bytes - kColumns);  // repeats the last columns instead of reading beyond them
    SomeColumns(rows + x, row_bytes, weights, axis.count[i], out + x);
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
