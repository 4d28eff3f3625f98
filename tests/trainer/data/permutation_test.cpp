#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <numeric>
#include <set>
#include <vector>

#include "trainer/data/sampler.h"

namespace gan::data {
namespace {

// Every value exactly once, and the inverse leads back.
void ExpectBijection(std::uint64_t n, std::uint64_t seed, std::uint64_t epoch) {
  const Permutation permutation(n, seed, epoch);
  std::vector<bool> seen(n);
  for (std::uint64_t x = 0; x < n; ++x) {
    const std::uint64_t y = permutation(x);
    ASSERT_LT(y, n);
    ASSERT_FALSE(seen[y]) << "n " << n << " seed " << seed << " epoch " << epoch << " repeats " << y;
    seen[y] = true;
    ASSERT_EQ(permutation.Inverse(y), x) << "n " << n;
  }
}

TEST(Permutation, EveryRecordOnceForEverySizeTo2000) {
  for (std::uint64_t n = 1; n <= 2000; ++n) {
    ExpectBijection(n, n * 77, n % 5);
    if (HasFatalFailure()) return;
  }
}

TEST(Permutation, EveryRecordOnceForASpreadOfSizesTo70000) {
  for (std::uint64_t n = 2001; n <= 70000; n += 127) {
    ExpectBijection(n, 5, n);
    if (HasFatalFailure()) return;
  }
  for (std::uint64_t power = 1; power <= 65536; power *= 2) {
    for (std::uint64_t n : {power - 1, power, power + 1}) {
      for (std::uint64_t key = 0; n > 0 && key < 4; ++key) ExpectBijection(n, key, key * key);
    }
  }
}

TEST(Permutation, InverseLeadsBackAroundEveryPowerOfTwoTo2To40) {
  for (int bit = 1; bit <= 40; ++bit) {
    const std::uint64_t power = std::uint64_t{1} << bit;
    for (std::uint64_t n : {power - 1, power, power + 1}) {
      const Permutation permutation(n, 9, static_cast<std::uint64_t>(bit));
      for (std::uint64_t i = 0; i < 500; ++i) {
        const std::uint64_t x = i < 250 ? i % n : n - 1 - (i * 7919) % n;
        const std::uint64_t y = permutation(x);
        ASSERT_LT(y, n);
        ASSERT_EQ(permutation.Inverse(y), x) << "n " << n;
      }
    }
  }
}

TEST(Permutation, TheLargestSizesWorkToo) {
  for (std::uint64_t n : {std::uint64_t{1} << 63, ~std::uint64_t{0}}) {
    const Permutation permutation(n, 1, 1);
    for (std::uint64_t x : {std::uint64_t{0}, n / 2, n - 1}) EXPECT_EQ(permutation.Inverse(permutation(x)), x);
  }
}

TEST(Permutation, OneRecordIsAlwaysItself) {
  for (std::uint64_t epoch = 0; epoch < 10; ++epoch) EXPECT_EQ(Permutation(1, 3, epoch)(0), 0U);
}

TEST(Permutation, EpochAndSeedChangeTheOrder) {
  const auto order = [](std::uint64_t seed, std::uint64_t epoch) {
    const Permutation permutation(100, seed, epoch);
    std::vector<std::uint64_t> values;
    for (std::uint64_t x = 0; x < 100; ++x) values.push_back(permutation(x));
    return values;
  };
  std::set<std::vector<std::uint64_t>> orders;
  for (std::uint64_t seed = 0; seed < 5; ++seed) {
    for (std::uint64_t epoch = 0; epoch < 20; ++epoch) orders.insert(order(seed, epoch));
  }
  EXPECT_EQ(orders.size(), 100U);
}

// Each record must be as likely at each place: chi-square over 4,000 epochs, 99 degrees of freedom per place.
TEST(Permutation, EveryPlaceSeesEveryRecordEquallyOften) {
  constexpr std::uint64_t n = 100, epochs = 4000;
  std::vector<int> counts(n * n);
  for (std::uint64_t epoch = 0; epoch < epochs; ++epoch) {
    const Permutation permutation(n, 42, epoch);
    for (std::uint64_t x = 0; x < n; ++x) ++counts[x * n + permutation(x)];
  }
  for (std::uint64_t x = 0; x < n; ++x) {
    double chi_square = 0;
    for (std::uint64_t y = 0; y < n; ++y) {
      const double difference = counts[x * n + y] - 40.0;
      chi_square += difference * difference / 40.0;
    }
    EXPECT_LT(chi_square, 170) << "place " << x;  // p = 1e-5
    EXPECT_GT(chi_square, 45) << "place " << x;
  }
}

TEST(SampleAt, GoesThroughEveryEpochOnce) {
  constexpr std::uint64_t n = 37;
  for (std::uint64_t epoch = 0; epoch < 5; ++epoch) {
    std::set<std::uint64_t> seen;
    for (std::uint64_t i = 0; i < n; ++i) seen.insert(SampleAt(epoch * n + i, n, 8));
    EXPECT_EQ(seen.size(), n);
  }
}

// A changed order would make old checkpoints resume on other pictures: these values never change.
TEST(SampleAt, KeepsItsGoldenValues) {
  std::vector<std::uint64_t> values;
  for (std::uint64_t cursor : {0ULL, 1ULL, 2ULL, 999ULL, 1000ULL, 123456789ULL}) {
    values.push_back(SampleAt(cursor, 1000, 42));
  }
  EXPECT_EQ(values, (std::vector<std::uint64_t>{861, 533, 321, 939, 192, 748}));
}

}  // namespace
}  // namespace gan::data
