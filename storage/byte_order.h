// Reads numbers in files whose byte order is fixed, whatever the processor's.
#pragma once

#include <cstdint>

namespace gan::storage {

// `bytes`: at most eight chars or std::bytes, the most significant first.
template <typename Bytes>
constexpr std::uint64_t BigEndian(const Bytes& bytes) {
  std::uint64_t value = 0;
  for (const auto byte : bytes) value = value << 8 | static_cast<unsigned char>(byte);
  return value;
}

// The same for a number whose least significant byte comes first.
template <typename Bytes>
constexpr std::uint64_t LittleEndian(const Bytes& bytes) {
  std::uint64_t value = 0;
  int shift = 0;
  for (const auto byte : bytes) {
    value |= std::uint64_t{static_cast<unsigned char>(byte)} << shift;
    shift += 8;
  }
  return value;
}

}  // namespace gan::storage
