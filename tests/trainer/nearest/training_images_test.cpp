#include "trainer/nearest/training_images.h"

#include <gtest/gtest.h>

#include <cmath>
#include <stdexcept>

namespace gan::nearest {
namespace {

// Thumbnails of one level each.
Thumbnail Level(int level) {
  Thumbnail thumbnail;
  thumbnail.fill(static_cast<std::uint8_t>(level));
  return thumbnail;
}

// Only the first `width` columns have the level, so that it is not its own mirror image.
Thumbnail LeftPart(int level, std::size_t width) {
  Thumbnail thumbnail = Level(0);
  for (std::size_t i = 0; i < thumbnail.size(); ++i) {
    if (i / 3 % kThumbnailSide < width) thumbnail[i] = static_cast<std::uint8_t>(level);
  }
  return thumbnail;
}

TEST(TrainingImages, TheNearestAndItsRatioToTheFifthAreFound) {
  const TrainingImages images({Level(200), Level(90), Level(100), Level(140), Level(60), Level(0)}, false);
  const Neighbour nearest = images.NearestTo(Level(97));
  EXPECT_EQ(nearest.image, 2U);
  EXPECT_DOUBLE_EQ(nearest.distance, 3);
  // The distances are 3, 7, 37, 43, 97 and 103.
  EXPECT_DOUBLE_EQ(nearest.ratio, 3.0 / 97);
  EXPECT_FALSE(nearest.mirrored);
}

TEST(TrainingImages, AnImageThatIsRepeatedCountsOnce) {
  const TrainingImages images(
      {Level(10), Level(10), Level(10), Level(10), Level(10), Level(50), Level(60), Level(70), Level(80), Level(90)},
      false);
  EXPECT_EQ(images.size(), 6U);
  EXPECT_DOUBLE_EQ(images.NearestTo(Level(12)).ratio, 2.0 / 68);
  EXPECT_EQ(images.NearestTo(Level(82)).image, 8U);  // its position among all images
}

TEST(TrainingImages, MirroredOnesCountWhenTrainingMirrors) {
  const std::vector<Thumbnail> all = {LeftPart(200, 4), Level(90), Level(100), Level(140), Level(60), Level(250)};
  const Neighbour kept = TrainingImages(all, false).NearestTo(Mirrored(all[0]));
  EXPECT_NE(kept.image, 0U);
  const Neighbour flipped = TrainingImages(all, true).NearestTo(Mirrored(all[0]));
  EXPECT_EQ(flipped.image, 0U);
  EXPECT_TRUE(flipped.mirrored);
  EXPECT_EQ(flipped.distance, 0);
  EXPECT_EQ(flipped.ratio, 0);
  EXPECT_FALSE(TrainingImages(all, true).NearestTo(all[0]).mirrored);
}

TEST(TrainingImages, TheLargestDistanceDoesNotOverflow) {
  const TrainingImages images({Level(255), Level(254), Level(253), Level(252), Level(251), Level(250)}, false);
  EXPECT_EQ(images.NearestTo(Level(0)).distance, 250);
}

TEST(TrainingImages, TooFewAreRefused) {
  const TrainingImages images({Level(1), Level(2), Level(3), Level(4), Level(5), Level(5)}, false);
  EXPECT_FALSE(images.AreEnough());
  EXPECT_THROW(images.NearestTo(Level(1)), std::logic_error);
}

}  // namespace
}  // namespace gan::nearest
