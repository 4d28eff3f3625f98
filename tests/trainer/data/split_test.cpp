#include "trainer/data/split.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <vector>

namespace gan::data {
namespace {

using Records = std::vector<std::uint64_t>;

Records Choose(std::uint64_t limit, const std::vector<std::uint64_t>& keys) {
  HoldoutChooser chooser(limit);
  for (std::uint64_t i = 0; i < keys.size(); ++i) chooser.Offer(keys[i], i);
  return chooser.Choose();
}

TEST(HoldoutChooser, TakesTheSmallestKeysInOrder) {
  EXPECT_EQ(Choose(3, {50, 10, 40, 20, 30}), (Records{1, 3, 4}));
  EXPECT_EQ(Choose(9, {5, 1, 4}), (Records{1, 2, 0}));
  EXPECT_EQ(Choose(3, {5, 1, 4}), (Records{1, 2, 0}));
}

TEST(HoldoutChooser, LimitZeroTakesNone) { EXPECT_TRUE(Choose(0, {3, 1, 2}).empty()); }

TEST(HoldoutChooser, GroupOfEqualKeysThatDoesNotFitStaysOut) {
  EXPECT_EQ(Choose(3, {1, 7, 7, 7, 9}), Records{0});
  EXPECT_EQ(Choose(4, {1, 7, 7, 7, 9}), (Records{0, 1, 2, 3}));
  EXPECT_TRUE(Choose(2, {7, 7, 7, 7}).empty());
}

TEST(ContentKey, DiffersWithEveryChecksum) {
  std::set<std::uint64_t> keys;
  for (std::uint32_t crc = 0; crc < 10'000; ++crc) keys.insert(ContentKey(crc));
  EXPECT_EQ(keys.size(), 10'000U);
}

TEST(SkipHeld, CountsExactlyTheRecordsThatAreNotHeld) {
  const Records held = {0, 1, 5, 6, 7, 11, 19};
  Records expected;
  for (std::uint64_t record = 0; record < 30; ++record) {
    if (!std::binary_search(held.begin(), held.end(), record)) expected.push_back(record);
  }
  Records actual;
  for (std::uint64_t i = 0; i < expected.size(); ++i) actual.push_back(SkipHeld(i, held));
  EXPECT_EQ(actual, expected);
  EXPECT_EQ(SkipHeld(12, {}), 12U);
}

}  // namespace
}  // namespace gan::data
