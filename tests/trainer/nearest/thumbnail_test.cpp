#include "trainer/nearest/thumbnail.h"

#include <gmock/gmock.h>

#include <numeric>

namespace gan::nearest {
namespace {

using ::testing::ElementsAre;
using Bytes = std::vector<std::uint8_t>;

TEST(Thumbnail, APixelIsTheRoundedMeanOfItsCell) {
  // Red: 0 1 / 1 1 has the mean 0.75, green 0 0 / 0 1 has 0.25, blue 0 0 / 1 1 has 0.5, which is rounded up.
  const Bytes rgb = {0, 0, 0, 1, 0, 0, 1, 0, 1, 1, 1, 1};
  EXPECT_THAT(Resized(rgb, 2, 1), ElementsAre(1, 0, 1));
}

TEST(Thumbnail, CellsOfAnUnevenSideCoverEveryPixelOnce) {
  Bytes rgb(3 * 5 * 5, 0);
  for (std::size_t i = 0; i < rgb.size(); ++i) rgb[i] = static_cast<std::uint8_t>(i / 3 % 5 * 10);  // the column
  const Bytes small = Resized(rgb, 5, 2);
  EXPECT_EQ(small[0], 5);   // columns 0 and 1
  EXPECT_EQ(small[3], 30);  // columns 2 to 4
}

TEST(Thumbnail, AnEnlargedImageRepeatsItsPixels) {
  const Bytes rgb = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
  const Bytes large = Resized(rgb, 2, 4);
  ASSERT_EQ(large.size(), 48U);
  EXPECT_THAT(Bytes(large.begin(), large.begin() + 12), ElementsAre(1, 2, 3, 1, 2, 3, 4, 5, 6, 4, 5, 6));
}

TEST(Thumbnail, TheBrightestImageDoesNotOverflow) {
  const Bytes white(3 * 256 * 256, 255);
  for (const std::uint8_t level : ThumbnailOf(white, 256)) EXPECT_EQ(level, 255);
}

TEST(Thumbnail, MirroringTwiceGivesTheSameImage) {
  Bytes rgb(3 * 32 * 32);
  std::iota(rgb.begin(), rgb.end(), std::uint8_t{0});
  const Bytes mirrored = Mirrored(rgb, 32);
  EXPECT_NE(mirrored, rgb);
  EXPECT_EQ(mirrored[0], rgb[3 * 31]);
  EXPECT_EQ(Mirrored(mirrored, 32), rgb);
  EXPECT_EQ(ThumbnailOf(mirrored, 32), Mirrored(ThumbnailOf(rgb, 32)));
}

}  // namespace
}  // namespace gan::nearest
