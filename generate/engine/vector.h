// Vectors of floats in the compiler's own extension, for code that is always inlined into functions that are compiled
// for one kind of processor.
#pragma once

#include <cstddef>

namespace gan::generate {

template <int kFloats>
struct Vector {
  typedef float Type __attribute__((vector_size(kFloats * sizeof(float)), aligned(sizeof(float)), may_alias));
};

template <int kFloats>
[[gnu::always_inline]] inline const typename Vector<kFloats>::Type& At(const float* numbers) {
  return *reinterpret_cast<const typename Vector<kFloats>::Type*>(numbers);
}
template <int kFloats>
[[gnu::always_inline]] inline typename Vector<kFloats>::Type& At(float* numbers) {
  return *reinterpret_cast<typename Vector<kFloats>::Type*>(numbers);
}

}  // namespace gan::generate
