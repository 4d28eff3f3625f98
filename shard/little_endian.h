#pragma once

#include <bit>
#include <cstddef>
#include <cstring>
#include <type_traits>

namespace gan::shard {

static_assert(std::endian::native == std::endian::little, "shards are read through mmap as they are");

template <typename Number>
void Store(std::byte* to, Number value) {
  static_assert(std::is_unsigned_v<Number>);
  std::memcpy(to, &value, sizeof value);
}

template <typename Number>
Number Load(const std::byte* from) {
  static_assert(std::is_unsigned_v<Number>);
  Number value = 0;
  std::memcpy(&value, from, sizeof value);
  return value;
}

}  // namespace gan::shard
