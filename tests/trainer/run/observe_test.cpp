#include "trainer/run/observe.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>

namespace gan::run {

namespace {

double OverAllPairs(const std::vector<double>& a, const std::vector<double>& b) {
  double sum = 0;
  for (const double x : a) {
    for (const double y : b) sum += x > y ? 1 : (x < y ? 0 : 0.5);
  }
  return sum / static_cast<double>(a.size() * b.size());
}

TEST(AreaUnderCurve, IsTheShareOfPairsInOrder) {
  std::mt19937 random(1);
  std::normal_distribution<double> normal;
  for (const std::size_t count : {1, 2, 16, 257}) {
    std::vector<double> a(count), b(2 * count);
    for (double& value : a) value = std::round(4 * normal(random) + 1) / 4;  // with ties
    for (double& value : b) value = std::round(4 * normal(random)) / 4;
    EXPECT_DOUBLE_EQ(AreaUnderCurve(a, b), OverAllPairs(a, b)) << count;
  }
}

TEST(AreaUnderCurve, KnowsBothEndsAndTheMiddle) {
  const std::vector<double> low{-3, -2, -1}, high{1, 2};
  EXPECT_EQ(AreaUnderCurve(high, low), 1);
  EXPECT_EQ(AreaUnderCurve(low, high), 0);
  EXPECT_EQ(AreaUnderCurve(low, low), 0.5);
}

TEST(AreaUnderCurve, WhatIsNoNumberIsATie) {
  constexpr double kNan = std::numeric_limits<double>::quiet_NaN(), kInfinity = std::numeric_limits<double>::infinity();
  const std::vector<double> a{kNan, 1, kInfinity}, b{0, kNan, -kInfinity, kInfinity};
  EXPECT_DOUBLE_EQ(AreaUnderCurve(a, b), OverAllPairs(a, b));
  EXPECT_EQ(AreaUnderCurve(std::vector<double>{kNan}, std::vector<double>{kNan}), 0.5);
}

}  // namespace

}  // namespace gan::run
