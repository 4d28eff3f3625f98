// Detects the instructions of the processor.
#pragma once

namespace gan::model {

// Whether it has AVX2 and FMA, and not AVX-512. oneDNN's convolutions and products are slow there for shapes at which
// they are fast with AVX-512 (docs/decisions/0010-convolutions.md).
inline bool HasAvx2Alone() {
#ifdef __x86_64__
  return __builtin_cpu_supports("avx2") != 0 && __builtin_cpu_supports("fma") != 0 &&
         __builtin_cpu_supports("avx512f") == 0;
#else
  return false;
#endif
}

}  // namespace gan::model
