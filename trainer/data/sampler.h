// The order of the samples and the random numbers of a run, as pure functions of (seed, counter). So there is no random
// state per rank to save, and the result does not depend on the number of ranks.
#pragma once

#include <cstdint>

namespace gan::data {

// A keyed bijection on [0, n) in O(1) memory: a balanced Feistel network on bit_width(n-1) bits (rounded up to even)
// with cycle walking (Black and Rogaway, "Ciphers with arbitrary finite domains", CT-RSA 2002).
class Permutation {
 public:
  Permutation(std::uint64_t n, std::uint64_t seed, std::uint64_t epoch);  // n >= 1
  std::uint64_t size() const { return n_; }
  std::uint64_t operator()(std::uint64_t position) const;  // position in [0, n)
  std::uint64_t Inverse(std::uint64_t value) const;

 private:
  std::uint64_t Encrypt(std::uint64_t x) const;  // a bijection on [0, 4^half_bits)
  std::uint64_t Decrypt(std::uint64_t x) const;

  std::uint64_t n_;
  unsigned half_bits_ = 0;
  std::uint64_t keys_[8] = {};
};

// Sample number `cursor` of an endless shuffled stream over n records: epoch = cursor / n, position = cursor % n.
std::uint64_t SampleAt(std::uint64_t cursor, std::uint64_t n, std::uint64_t seed);

// Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011).
struct Philox4x32 {
  std::uint32_t v[4];
};
// Words of key and counter run from the lowest 32 bits up, as in Random123: {low(counter_low), high(counter_low), ...}.
Philox4x32 Philox(std::uint64_t key, std::uint64_t counter_high, std::uint64_t counter_low);

// The purpose of a random number. It is part of the key, so two purposes never share a stream.
enum class Stream : std::uint32_t {
  kOrder = 1,
  kLatentD = 2,
  kLatentG = 3,
  kFlip = 4,
  kAugment = 5,
  kFixedLatents = 6,
  kInitialWeights = 7,
  kProjection = 8,
  kStatistics = 9,
  kPenalty = 10,
  kWiden = 11,
  kQuality = 12,
  kClass = 13
};

// Fills out[0..count) with standard normal numbers of (seed, stream, cursor, sample): Philox and Box-Muller, in float.
// A longer fill begins with the same numbers as a shorter one. At most 2^34 numbers.
void FillNormal(float* out, std::uint64_t count, std::uint64_t seed, Stream stream, std::uint64_t cursor,
                std::uint64_t sample);
// Uniform in [0, 1).
double Uniform(std::uint64_t seed, Stream stream, std::uint64_t cursor, std::uint64_t sample);

}  // namespace gan::data
