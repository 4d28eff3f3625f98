// Records are read as training reads them, and the pairs show what was compared.
#include "trainer/nearest/examination.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>

#include "tests/trainer/data/small_dataset.h"

namespace gan::nearest {
namespace {

constexpr std::size_t kSide = data::kPictureSize, kGap = 2;
using Bytes = std::vector<std::uint8_t>;

class ExaminationTest : public ::testing::Test {
 protected:
  std::shared_ptr<const data::Dataset> Open(std::size_t count, double holdout) {
    data::WriteDataset(folder_.path(), data::MakePictures(count), 50);
    return std::make_shared<const data::Dataset>(folder_.path(), holdout);
  }
  static Bytes BytesOf(std::span<const std::byte> record) {
    Bytes bytes(record.size());
    std::memcpy(bytes.data(), record.data(), bytes.size());
    return bytes;
  }

  data::TemporaryFolder folder_;
};

// The image at this place of the grid.
Bytes ImageAt(const picture::GridImage& grid, std::size_t row, std::size_t column) {
  Bytes image;
  for (std::size_t y = 0; y < kSide; ++y) {
    const std::size_t top = kGap + row * (kSide + kGap) + y, left = kGap + column * (kSide + kGap);
    const auto begin = grid.pixels.begin() + static_cast<std::ptrdiff_t>(3 * (top * grid.width + left));
    image.insert(image.end(), begin, begin + 3 * kSide);
  }
  return image;
}

TEST_F(ExaminationTest, TrainingImagesAreCopiesOfThemselvesAndHeldOutOnesAreNot) {
  const auto dataset = Open(300, 0.3);
  ASSERT_GT(dataset->holdout_size(), 40U);
  int signs = 0;
  const Reference reference(dataset, false, [&] { ++signs; });
  EXPECT_GT(signs, 0);
  EXPECT_EQ(reference.training().size(), dataset->size());
  EXPECT_EQ(reference.held_out().size(), dataset->holdout_size());
  Examination copying(reference, kSide), honest(reference, kSide);
  for (std::uint64_t i = 0; i < 40; ++i) {
    copying.Add(BytesOf(dataset->Record(i)));
    honest.Add(BytesOf(dataset->HoldoutRecord(i)));
  }
  EXPECT_EQ(copying.Result().copies, 40U);
  EXPECT_EQ(copying.Result().originals, 40U);
  EXPECT_TRUE(copying.Result().learnt_by_heart);
  EXPECT_EQ(honest.Result().copies, 0U);
  EXPECT_FALSE(honest.Result().learnt_by_heart);
}

TEST_F(ExaminationTest, PairsBeginWithWhatLooksMostLikeACopy) {
  const auto dataset = Open(100, 0.3);
  const Reference reference(dataset, true, [] {});
  Examination examination(reference, kSide);
  const Bytes other = BytesOf(dataset->HoldoutRecord(0)), copy = Mirrored(BytesOf(dataset->Record(7)), kSide);
  Bytes both = other;
  both.insert(both.end(), copy.begin(), copy.end());
  examination.Add(both);
  const picture::GridImage grid = examination.Pairs();
  EXPECT_EQ(grid.width, 2 * (kSide + kGap) + kGap);
  EXPECT_EQ(grid.height, 2 * (kSide + kGap) + kGap);
  EXPECT_EQ(ImageAt(grid, 0, 0), copy);
  EXPECT_EQ(ImageAt(grid, 1, 0), copy);  // the record as it was mirrored
  EXPECT_EQ(ImageAt(grid, 0, 1), other);
}

TEST_F(ExaminationTest, NoMoreThanTheFirstPairsAreKept) {
  const auto dataset = Open(100, 0.3);
  const Reference reference(dataset, false, [] {});
  Examination examination(reference, kSide);
  for (int round = 0; round < 2; ++round) {
    for (std::uint64_t i = 0; i < 25; ++i)
      examination.Add(BytesOf(dataset->HoldoutRecord(i % dataset->holdout_size())));
  }
  examination.Add(BytesOf(dataset->Record(3)));
  const picture::GridImage grid = examination.Pairs();
  EXPECT_EQ(grid.width, Examination::kColumns * (kSide + kGap) + kGap);
  EXPECT_EQ(grid.height, 8 * (kSide + kGap) + kGap);
  EXPECT_EQ(ImageAt(grid, 0, 0), BytesOf(dataset->Record(3)));
  EXPECT_EQ(examination.Result().images, 51U);
}

TEST_F(ExaminationTest, ADamagedRecordIsReplaced) {
  data::WriteDataset(folder_.path(), data::MakePictures(60), 60);
  for (std::size_t i = 0; i < 20; ++i) data::DamageRecord(folder_.path(), 0, i);
  const auto dataset = std::make_shared<const data::Dataset>(folder_.path(), 0);
  const Reference reference(dataset, false, [] {});
  EXPECT_EQ(reference.training().size(), 40U);
  EXPECT_TRUE(reference.held_out().empty());
  Examination examination(reference, kSide);
  examination.Add(BytesOf(dataset->Record(30)));
  EXPECT_EQ(ImageAt(examination.Pairs(), 1, 0), BytesOf(dataset->Record(30)));
}

TEST_F(ExaminationTest, TooFewImagesAreNoticed) {
  const auto dataset = Open(5, 0);
  EXPECT_FALSE(Reference(dataset, false, [] {}).training().AreEnough());
}

}  // namespace
}  // namespace gan::nearest
