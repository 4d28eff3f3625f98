#include "trainer/nearest/copies.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

namespace gan::nearest {
namespace {

// `copies` close neighbours of different training images, in turns, and others that are not close.
std::vector<Neighbour> Neighbours(std::size_t copies, std::size_t others, std::size_t originals) {
  std::vector<Neighbour> all;
  for (std::size_t i = 0; i < copies; ++i) all.push_back({.image = i % originals, .ratio = 0.49});
  for (std::size_t i = 0; i < others; ++i) all.push_back({.image = i, .ratio = 0.5});
  return all;
}

TEST(Copies, MoreCopiesThanAmongHeldOutImagesAreLearntByHeart) {
  const Copies found = Judge(Neighbours(60, 196, 10), Neighbours(1, 47, 1));
  EXPECT_TRUE(found.learnt_by_heart);
  EXPECT_LT(found.probability, 1e-3);
  EXPECT_DOUBLE_EQ(found.rate(), 60.0 / 256);
  EXPECT_DOUBLE_EQ(found.floor(), 1.0 / 48);
  EXPECT_EQ(found.originals, 10U);
  EXPECT_EQ(Words(found), "23 % of 256 generated images are copies of training images, and 2 % of 48 held-out images");
}

TEST(Copies, AsManyAsAmongHeldOutImagesAreNot) {
  EXPECT_FALSE(Judge(Neighbours(60, 196, 60), Neighbours(11, 37, 11)).learnt_by_heart);
  EXPECT_FALSE(Judge(Neighbours(0, 256, 1), Neighbours(0, 48, 1)).learnt_by_heart);
}

TEST(Copies, OneImageAgainAndAgainIsNotLearntByHeart) {
  EXPECT_FALSE(Judge(Neighbours(256, 0, 2), Neighbours(0, 48, 1)).learnt_by_heart);
  EXPECT_TRUE(Judge(Neighbours(256, 0, 3), Neighbours(0, 48, 1)).learnt_by_heart);
}

TEST(Copies, WithoutHeldOutImagesNothingIsToldAndTheRateStays) {
  const Copies found = Judge(Neighbours(256, 0, 20), {});
  EXPECT_FALSE(found.learnt_by_heart);
  EXPECT_EQ(found.probability, 1);
  EXPECT_EQ(found.rate(), 1);
  EXPECT_TRUE(std::isnan(found.floor()));
  EXPECT_EQ(Words(found), "100 % of 256 generated images are copies of training images");
}

// The tea-tasting example of Fisher's book: three of four cups are guessed right.
TEST(Copies, FishersTest) {
  EXPECT_NEAR(FisherExact(3, 4, 1, 4), 17.0 / 70, 1e-12);
  EXPECT_NEAR(FisherExact(4, 4, 0, 4), 1.0 / 70, 1e-12);
  EXPECT_NEAR(FisherExact(0, 4, 4, 4), 1, 1e-12);
  EXPECT_EQ(FisherExact(0, 0, 2, 5), 1);
}

}  // namespace
}  // namespace gan::nearest
