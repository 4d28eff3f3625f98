#include "generate/engine/latents.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "storage/errors.h"

namespace gan::generate {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::ThrowsMessage;

TEST(SeedsTest, ListsAndRangesAreRead) {
  EXPECT_THAT(ParseSeeds("1,5,10-13"), ElementsAre(1, 5, 10, 11, 12, 13));
  EXPECT_THAT(ParseSeeds("18446744073709551615"), ElementsAre(18446744073709551615U));
}

TEST(SeedsTest, WhatIsNoListIsRefused) {
  for (const char* text : {"", "1,", "a", "1-", "-1", "1 2", "99999999999999999999"}) {
    EXPECT_THAT([text] { ParseSeeds(text); }, ThrowsMessage<UsageError>(HasSubstr("is no number"))) << text;
  }
  EXPECT_THAT([] { ParseSeeds("5-2"); }, ThrowsMessage<UsageError>(HasSubstr("goes down")));
  EXPECT_THAT([] { ParseSeeds("0-18446744073709551615"); }, ThrowsMessage<UsageError>(HasSubstr("a million")));
}

TEST(LatentsTest, ASeedGivesItsLatentWhateverStandsBesideIt) {
  const Latents alone = FromSeeds({7}, 100), among = FromSeeds({1, 7, 3}, 100);
  EXPECT_TRUE(std::equal(alone.values.begin(), alone.values.end(), among.values.begin() + 100));
}

TEST(WalkTest, PassesThroughTheStopsAndKeepsItsLength) {
  const Latents stops{.noise_dim = 2, .values = {3, 0, 0, 3}, .seeds = {}};
  const Latents walk = Walk(stops, 4);
  ASSERT_EQ(8, walk.count());
  EXPECT_FLOAT_EQ(3, walk.values[0]);
  EXPECT_FLOAT_EQ(3, walk.values[4 * 2 + 1]);
  for (std::size_t i = 0; i < 8; ++i) EXPECT_NEAR(3, std::hypot(walk.values[2 * i], walk.values[2 * i + 1]), 1e-5);
  EXPECT_NEAR(walk.values[2 * 2], walk.values[2 * 2 + 1], 1e-5);  // half way: 45 degrees
}

TEST(WalkTest, OneStopStandsStill) {
  const Latents walk = Walk({.noise_dim = 2, .values = {1, 2}, .seeds = {}}, 3);
  EXPECT_THAT(walk.values, ElementsAre(1, 2, 1, 2, 1, 2));
}

}  // namespace
}  // namespace gan::generate
