#include "trainer/quality/sort_floats.h"

#include <array>
#include <bit>
#include <cstddef>

namespace gan::quality {

namespace {

constexpr unsigned kDigitBits = 11;
constexpr std::size_t kDigits = std::size_t{1} << kDigitBits;
constexpr std::uint32_t kMask = kDigits - 1;
constexpr std::uint32_t kSign = 0x80000000U;

// Maps floats to integers in the same order. The bits of negative floats are inverted, because their order is reversed.
std::uint32_t KeyOf(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  return (bits & kSign) != 0 ? ~bits : bits | kSign;
}

float ValueOf(std::uint32_t key) { return std::bit_cast<float>((key & kSign) != 0 ? key & ~kSign : ~key); }

// Computes the first position of the keys with each digit in the sorted order. `counts`: number of keys per digit.
void ToPlaces(std::array<std::uint32_t, kDigits>& counts) {
  std::uint32_t before = 0;
  for (std::uint32_t& count : counts) {
    const std::uint32_t here = count;
    count = before;
    before += here;
  }
}

}  // namespace

// A radix sort with three digits, from the lowest one on. Each pass keeps the order of the previous one. Three digits
// of 11, 11 and 10 bits: tables of 8 KB stay in the first-level cache, and three passes are enough for 32 bits. All
// three are counted in one scan, because a pass changes the order of the keys but not how many there are.
void SortFloats(std::span<float> values, std::vector<std::uint32_t>& scratch) {
  const std::size_t count = values.size();
  scratch.resize(2 * count);
  const std::span<std::uint32_t> keys(scratch.data(), count), others(scratch.data() + count, count);
  std::array<std::uint32_t, kDigits> low{}, middle{}, high{};
  for (std::size_t i = 0; i < count; ++i) {
    const std::uint32_t key = keys[i] = KeyOf(values[i]);
    ++low[key & kMask];
    ++middle[key >> kDigitBits & kMask];
    ++high[key >> 2 * kDigitBits];
  }
  for (auto* digits : {&low, &middle, &high}) ToPlaces(*digits);
  for (const std::uint32_t key : keys) others[low[key & kMask]++] = key;
  for (const std::uint32_t key : others) keys[middle[key >> kDigitBits & kMask]++] = key;
  for (const std::uint32_t key : keys) values[high[key >> 2 * kDigitBits]++] = ValueOf(key);
}

}  // namespace gan::quality
