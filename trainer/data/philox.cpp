#include <cmath>
#include <numbers>

#include "trainer/data/sampler.h"

namespace gan::data {
namespace {

// The constants of the paper. A random number is a function of its purpose and not of earlier random numbers. So any
// rank can compute the numbers of any image, and neither the number of ranks nor a resume changes them.
constexpr std::uint32_t kMultiplier0 = 0xD2511F53, kMultiplier1 = 0xCD9E8D57;
constexpr std::uint32_t kWeyl0 = 0x9E3779B9, kWeyl1 = 0xBB67AE85;  // golden ratio, sqrt(3) - 1
constexpr int kRounds = 10;

std::uint32_t Low(std::uint64_t x) { return static_cast<std::uint32_t>(x); }
std::uint32_t High(std::uint64_t x) { return static_cast<std::uint32_t>(x >> 32); }

// The finaliser of SplitMix64, a bijection that spreads every bit.
std::uint64_t Mix(std::uint64_t x) {
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EB;
  return x ^ (x >> 31);
}

// Derives a key from the seed, because seeds are often small and similar. The counter has room for 32 bits of `sample`;
// the upper bits become part of the key.
std::uint64_t StreamKey(std::uint64_t seed, Stream stream, std::uint64_t sample) {
  const std::uint64_t key = Mix(Mix(seed + 0x9E3779B97F4A7C15) + static_cast<std::uint32_t>(stream));
  return sample >> 32 == 0 ? key : Mix(key + (sample >> 32));
}

// Maps to (0, 1], never 0, so that the logarithm is finite.
float OpenUnit(std::uint32_t word) { return (static_cast<float>(word) + 0.5F) * 0x1p-32F; }

// Two independent standard normal numbers from two uniform ones. The angle uses 24 bits, as many as a float represents
// exactly. Results of libm may differ in the last bit between machines; the integers do not.
void BoxMuller(std::uint32_t a, std::uint32_t b, float* pair) {
  const float radius = std::sqrt(-2.0F * std::log(OpenUnit(a)));
  const float angle = 2.0F * std::numbers::pi_v<float> * (static_cast<float>(b >> 8) * 0x1p-24F);
  pair[0] = radius * std::cos(angle);
  pair[1] = radius * std::sin(angle);
}

}  // namespace

// Ten rounds of two multiplications with XOR of their halves, as in the paper.
Philox4x32 Philox(std::uint64_t key, std::uint64_t counter_high, std::uint64_t counter_low) {
  std::uint32_t c0 = Low(counter_low), c1 = High(counter_low), c2 = Low(counter_high), c3 = High(counter_high);
  std::uint32_t k0 = Low(key), k1 = High(key);
  for (int round = 0; round < kRounds; ++round) {
    const std::uint64_t p0 = std::uint64_t{kMultiplier0} * c0;
    const std::uint64_t p1 = std::uint64_t{kMultiplier1} * c2;
    c0 = High(p1) ^ c1 ^ k0;
    c1 = Low(p1);
    c2 = High(p0) ^ c3 ^ k1;
    c3 = Low(p0);
    k0 += kWeyl0;
    k1 += kWeyl1;
  }
  return {{c0, c1, c2, c3}};
}

// Each block gives four numbers; surplus ones are dropped, so a longer fill has the same beginning.
void FillNormal(float* out, std::uint64_t count, std::uint64_t seed, Stream stream, std::uint64_t cursor,
                std::uint64_t sample) {
  const std::uint64_t key = StreamKey(seed, stream, sample);
  const std::uint64_t first_block = sample << 32;
  for (std::uint64_t done = 0, block = 0; done < count; done += 4, ++block) {
    // The counter: the cursor in the upper 64 bits, below it 32 bits of the sample and 32 bits of the block. Hence the
    // limit of 2^34 numbers per fill.
    const Philox4x32 random = Philox(key, cursor, first_block | block);
    float four[4];
    BoxMuller(random.v[0], random.v[1], four);
    BoxMuller(random.v[2], random.v[3], four + 2);
    for (std::uint64_t i = 0; i < 4 && done + i < count; ++i) out[done + i] = four[i];
  }
}

// 53 random bits, as many as a double can hold.
double Uniform(std::uint64_t seed, Stream stream, std::uint64_t cursor, std::uint64_t sample) {
  const Philox4x32 random = Philox(StreamKey(seed, stream, sample), cursor, sample << 32);
  const std::uint64_t bits = std::uint64_t{random.v[1]} << 32 | random.v[0];
  return static_cast<double>(bits >> 11) * 0x1p-53;
}

}  // namespace gan::data
