#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <set>
#include <vector>

#include "trainer/data/sampler.h"

namespace gan::data {
namespace {

using Words = std::array<std::uint32_t, 4>;

Words PhiloxWords(std::uint64_t key, std::uint64_t high, std::uint64_t low) {
  const Philox4x32 out = Philox(key, high, low);
  return {out.v[0], out.v[1], out.v[2], out.v[3]};
}

// "philox4x32 10" of kat_vectors in Random123 1.14.
TEST(Philox, GivesThePublishedKnownAnswers) {
  EXPECT_EQ(PhiloxWords(0, 0, 0), (Words{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  constexpr std::uint64_t ones = ~std::uint64_t{0};
  EXPECT_EQ(PhiloxWords(ones, ones, ones), (Words{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  EXPECT_EQ(PhiloxWords(0x299f31d0a4093822, 0x0370734413198a2e, 0x85a308d3243f6a88),
            (Words{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

std::vector<float> Normals(std::uint64_t count, std::uint64_t seed, Stream stream, std::uint64_t cursor,
                           std::uint64_t sample) {
  std::vector<float> out(count, std::numeric_limits<float>::quiet_NaN());
  FillNormal(out.data(), count, seed, stream, cursor, sample);
  return out;
}

TEST(FillNormal, MomentsAreThoseOfTheNormalDistribution) {
  const auto values = Normals(4'000'000, 1, Stream::kLatentD, 0, 0);
  double mean = 0, variance = 0, skewness = 0, kurtosis = 0;
  for (float value : values) mean += static_cast<double>(value);
  mean /= static_cast<double>(values.size());
  for (float value : values) {
    const double d = static_cast<double>(value) - mean;
    variance += d * d;
    skewness += d * d * d;
    kurtosis += d * d * d * d;
  }
  const double n = static_cast<double>(values.size());
  variance /= n;
  // Five standard errors each.
  EXPECT_NEAR(mean, 0, 5 / std::sqrt(n));
  EXPECT_NEAR(variance, 1, 5 * std::sqrt(2 / n));
  EXPECT_NEAR(skewness / n, 0, 5 * std::sqrt(15 / n));
  EXPECT_NEAR(kurtosis / n / (variance * variance), 3, 5 * std::sqrt(96 / n));
}

TEST(FillNormal, TailsAreThere) {
  const auto values = Normals(4'000'000, 2, Stream::kLatentD, 0, 0);
  const auto beyond = [&](float limit) {
    return std::count_if(values.begin(), values.end(), [&](float v) { return std::abs(v) > limit; });
  };
  EXPECT_NEAR(static_cast<double>(beyond(3)), 10799, 520);  // 0.0026998 of 4 M, five standard errors
  EXPECT_NEAR(static_cast<double>(beyond(4)), 253, 80);
  EXPECT_EQ(beyond(7), 0);
}

TEST(FillNormal, SamplesSeedsStreamsAndCursorsShareNothing) {
  std::set<float> first;
  for (std::uint64_t i = 0; i < 50; ++i) {
    first.insert(Normals(1, i + 100, Stream::kLatentD, 0, 0)[0]);
    first.insert(Normals(1, 1, Stream::kLatentD, i, 0)[0]);
    first.insert(Normals(1, 1, Stream::kLatentG, 0, i)[0]);
    first.insert(Normals(1, 1, Stream::kLatentG, 0, (i + 1) << 32)[0]);
    first.insert(Normals(1, 1, static_cast<Stream>(i + 3), 1000, 0)[0]);
  }
  EXPECT_GE(first.size(), 249U);  // two floats may meet by chance
}

TEST(FillNormal, NeighbouringSamplesAreUncorrelated) {
  double sum = 0;
  for (std::uint64_t sample = 0; sample < 2000; ++sample) {
    const auto a = Normals(100, 1, Stream::kLatentD, 5, sample), b = Normals(100, 1, Stream::kLatentD, 5, sample + 1);
    for (std::size_t i = 0; i < 100; ++i) sum += static_cast<double>(a[i]) * static_cast<double>(b[i]);
  }
  EXPECT_NEAR(sum / 200'000, 0, 5 / std::sqrt(200'000.0));
}

TEST(FillNormal, ShorterFillIsThePrefixOfALongerOne) {
  const auto longer = Normals(103, 7, Stream::kLatentD, 3, 4);
  for (std::uint64_t count = 0; count <= 103; ++count) {
    const auto shorter = Normals(count, 7, Stream::kLatentD, 3, 4);
    EXPECT_TRUE(std::equal(shorter.begin(), shorter.end(), longer.begin())) << count;
  }
}

// Other numbers would break the resumption of old checkpoints. The tolerance is for other maths libraries.
TEST(FillNormal, KeepsItsGoldenValues) {
  const auto values = Normals(5, 42, Stream::kLatentD, 1000, 7);
  const std::array<float, 5> golden = {-0.115126893F, -1.07471573F, 1.18046701F, 1.02191269F, -2.38801241F};
  for (std::size_t i = 0; i < golden.size(); ++i) EXPECT_NEAR(values[i], golden[i], 2e-6F) << i;
}

TEST(Uniform, CoversTheUnitIntervalEvenly) {
  std::array<int, 20> bins{};
  for (std::uint64_t cursor = 0; cursor < 100'000; ++cursor) {
    const double value = Uniform(3, Stream::kFlip, cursor, 0);
    ASSERT_GE(value, 0);
    ASSERT_LT(value, 1);
    ++bins[static_cast<std::size_t>(value * 20)];
  }
  for (int count : bins) EXPECT_NEAR(count, 5000, 350);
}

TEST(Uniform, KeepsItsGoldenValue) { EXPECT_DOUBLE_EQ(Uniform(42, Stream::kFlip, 1000, 7), 0.88846901477212004); }

}  // namespace
}  // namespace gan::data
