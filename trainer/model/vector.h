// Eight floats at a time, for functions that are compiled for AVX2, or with the vector instructions of other
// processors.
#pragma once

#include <cstddef>

#ifdef __x86_64__
#define GAN_AVX2 [[gnu::target("avx2,fma")]]
#else
#define GAN_AVX2
#endif

namespace gan::model {

inline constexpr std::size_t kVector = 8;
typedef float V __attribute__((vector_size(kVector * sizeof(float)), aligned(sizeof(float)), may_alias));

[[gnu::always_inline]] inline const V& At(const float* numbers) { return *reinterpret_cast<const V*>(numbers); }
[[gnu::always_inline]] inline V& At(float* numbers) { return *reinterpret_cast<V*>(numbers); }

}  // namespace gan::model
