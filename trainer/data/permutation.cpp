#include <bit>
#include <cassert>
#include <iterator>

#include "trainer/data/sampler.h"

namespace gan::data {
namespace {

// A permutation that can be computed at any position needs no shuffled list: 8 bytes per record on every rank, and the
// shuffling at the start of each epoch. A run resumes in the middle of an epoch by its cursor alone.

// One round of mixing is enough between eight Feistel rounds: every bit of the result depends on every bit of both
// inputs.
std::uint64_t RoundFunction(std::uint64_t half, std::uint64_t key) {
  std::uint64_t x = (half ^ key) * 0x9E3779B97F4A7C15;
  x = (x ^ (x >> 32)) * 0xD6E8FEB86659FD93;
  return x ^ (x >> 32);
}

}  // namespace

Permutation::Permutation(std::uint64_t n, std::uint64_t seed, std::uint64_t epoch)
    // An even number of bits, because both halves must be equally long to change places.
    : n_(n), half_bits_((static_cast<unsigned>(std::bit_width(n - 1)) + 1) / 2) {
  assert(n >= 1);
  // Each Philox block gives two keys. The stream's number separates these blocks from all other uses of the seed.
  for (std::uint64_t i = 0; i < std::size(keys_) / 2; ++i) {
    const Philox4x32 words = Philox(seed, epoch, std::uint64_t{static_cast<std::uint32_t>(Stream::kOrder)} << 32 | i);
    keys_[2 * i] = std::uint64_t{words.v[1]} << 32 | words.v[0];
    keys_[2 * i + 1] = std::uint64_t{words.v[3]} << 32 | words.v[2];
  }
}

// Eight Feistel rounds: each replaces one half by the XOR with a function of the other half, which is invertible.
std::uint64_t Permutation::Encrypt(std::uint64_t x) const {
  const std::uint64_t mask = (std::uint64_t{1} << half_bits_) - 1;
  std::uint64_t left = x >> half_bits_, right = x & mask;
  for (std::uint64_t key : keys_) {
    const std::uint64_t next = left ^ (RoundFunction(right, key) & mask);
    left = right;
    right = next;
  }
  return left << half_bits_ | right;
}

// The rounds of Encrypt in reverse order.
std::uint64_t Permutation::Decrypt(std::uint64_t x) const {
  const std::uint64_t mask = (std::uint64_t{1} << half_bits_) - 1;
  std::uint64_t left = x >> half_bits_, right = x & mask;
  for (std::size_t i = std::size(keys_); i-- > 0;) {
    const std::uint64_t previous = right ^ (RoundFunction(left, keys_[i]) & mask);
    right = left;
    left = previous;
  }
  return left << half_bits_ | right;
}

// Cycle walking: the network permutes fewer than 4 n values, so repeated encryption returns to [0, n), after fewer than
// four steps on average.
std::uint64_t Permutation::operator()(std::uint64_t position) const {
  assert(position < n_);
  do position = Encrypt(position);
  while (position >= n_);
  return position;
}

std::uint64_t Permutation::Inverse(std::uint64_t value) const {
  assert(value < n_);
  do value = Decrypt(value);
  while (value >= n_);
  return value;
}

std::uint64_t SampleAt(std::uint64_t cursor, std::uint64_t n, std::uint64_t seed) {
  return Permutation(n, seed, cursor / n)(cursor % n);
}

}  // namespace gan::data
