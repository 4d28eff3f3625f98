#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>

#include "shard/shard_format.h"
#include "storage/errors.h"
#include "tests/trainer/data/small_dataset.h"
#include "trainer/data/loader.h"

namespace gan::data {
namespace {

using testing::HasSubstr;

std::set<Picture> Training(const Dataset& dataset) {
  std::set<Picture> pictures;
  for (std::uint64_t i = 0; i < dataset.size(); ++i) pictures.insert(ToPicture(dataset.Record(i)));
  return pictures;
}

std::vector<Picture> Holdout(const Dataset& dataset) {
  std::vector<Picture> pictures;
  for (std::uint64_t i = 0; i < dataset.holdout_size(); ++i) pictures.push_back(ToPicture(dataset.HoldoutRecord(i)));
  return pictures;
}

// The message of the DataError that `action` must throw.
template <typename Action>
std::string DataErrorOf(Action action) {
  try {
    action();
  } catch (const DataError& error) {
    return error.what();
  }
  ADD_FAILURE() << "no DataError";
  return {};
}

TEST(Dataset, HoldoutIsNeverTrainedOnAndNothingIsLost) {
  const TemporaryFolder folder;
  const auto pictures = MakePictures(200);
  WriteDataset(folder.path(), pictures, 32);
  const Dataset dataset(folder.path(), 0.1);
  EXPECT_EQ(dataset.size(), 180U);
  EXPECT_EQ(dataset.holdout_size(), 20U);
  std::set<Picture> all = Training(dataset);
  EXPECT_EQ(all.size(), 180U);
  for (const Picture& picture : Holdout(dataset)) EXPECT_TRUE(all.insert(picture).second) << "trained on a holdout";
  EXPECT_EQ(all, std::set<Picture>(pictures.begin(), pictures.end()));
}

TEST(Dataset, HoldoutIsTheSameForReorderedPictures) {
  const TemporaryFolder folder, reordered_folder;
  auto pictures = MakePictures(200);
  WriteDataset(folder.path(), pictures, 32);
  std::reverse(pictures.begin(), pictures.end());
  std::rotate(pictures.begin(), pictures.begin() + 77, pictures.end());
  WriteDataset(reordered_folder.path(), pictures, 50);
  EXPECT_EQ(Holdout(Dataset(folder.path(), 0.1)), Holdout(Dataset(reordered_folder.path(), 0.1)));
}

TEST(Dataset, CopiesOfAPictureStayOnOneSide) {
  const TemporaryFolder folder;
  auto pictures = MakePictures(60);
  const auto once = pictures;
  for (int copy = 0; copy < 3; ++copy) pictures.insert(pictures.end(), once.begin(), once.end());
  WriteDataset(folder.path(), pictures, 64);
  const Dataset dataset(folder.path(), 0.2);
  EXPECT_EQ(dataset.holdout_size(), 48U);
  const auto training = Training(dataset);
  for (const Picture& picture : Holdout(dataset)) EXPECT_EQ(training.count(picture), 0U);
}

TEST(Dataset, HoldoutHasAMaximumAndCanBeSwitchedOff) {
  const TemporaryFolder folder;
  WriteDataset(folder.path(), MakePictures(100), 32);
  EXPECT_EQ(Dataset(folder.path(), 0.5, 7).holdout_size(), 7U);
  EXPECT_EQ(Dataset(folder.path(), 0).size(), 100U);
  EXPECT_THROW(Dataset(folder.path(), 0.6), UsageError);
}

TEST(Dataset, RecordsKeepTheirOrderWithoutHoldout) {
  const TemporaryFolder folder;
  const auto pictures = MakePictures(70);
  WriteDataset(folder.path(), pictures, 16);
  const Dataset dataset(folder.path(), 0);
  for (std::uint64_t i = 0; i < 70; ++i) EXPECT_EQ(ToPicture(dataset.Record(i)), pictures[i]) << i;
}

TEST(Dataset, MissingManifestIsReported) {
  const TemporaryFolder folder;
  WriteDataset(folder.path(), MakePictures(20), 8);
  std::filesystem::remove(folder.path() / shard::kManifestName);
  EXPECT_THAT(DataErrorOf([&] { Dataset dataset(folder.path()); }), HasSubstr("manifest.json"));
}

TEST(Dataset, MissingShardIsReportedByName) {
  const TemporaryFolder folder;
  WriteDataset(folder.path(), MakePictures(20), 8);
  std::filesystem::remove(shard::ShardFileName(folder.path(), 1));
  EXPECT_THAT(DataErrorOf([&] { Dataset dataset(folder.path()); }), HasSubstr("shard-00001.gan"));
}

TEST(Dataset, TornShardIsReportedByName) {
  const TemporaryFolder folder;
  WriteDataset(folder.path(), MakePictures(20), 8);
  const auto path = shard::ShardFileName(folder.path(), 2);
  std::filesystem::resize_file(path, std::filesystem::file_size(path) - 1);
  EXPECT_THAT(DataErrorOf([&] { Dataset dataset(folder.path()); }), HasSubstr("shard-00002.gan"));
}

TEST(Dataset, ExchangedShardsAreReportedByName) {
  const TemporaryFolder folder;
  WriteDataset(folder.path(), MakePictures(16), 8);
  const auto first = shard::ShardFileName(folder.path(), 0), second = shard::ShardFileName(folder.path(), 1);
  std::filesystem::rename(first, folder.path() / "aside");
  std::filesystem::rename(second, first);
  std::filesystem::rename(folder.path() / "aside", second);
  EXPECT_THAT(DataErrorOf([&] { Dataset dataset(folder.path()); }), HasSubstr("shard-00000.gan"));
}

TEST(Dataset, ManifestThatCountsOtherwiseIsReported) {
  const TemporaryFolder folder;
  WriteDataset(folder.path(), MakePictures(16), 8);
  auto manifest = shard::ReadManifest(folder.path());
  manifest.shards[1].records -= 1;
  manifest.shards[0].records += 1;  // the sum stays right
  shard::WriteManifest(folder.path(), manifest);
  EXPECT_THAT(DataErrorOf([&] { Dataset dataset(folder.path()); }),
              HasSubstr("the manifest says 9 records, the shard has 8"));
}

TEST(Dataset, EmptyShardsAreSteppedOver) {
  const TemporaryFolder folder;
  const auto pictures = MakePictures(20);
  WriteDatasetOfShards(
      folder.path(),
      {{}, {pictures.begin(), pictures.begin() + 5}, {}, {}, {pictures.begin() + 5, pictures.end()}, {}});
  const Dataset dataset(folder.path(), 0);
  ASSERT_EQ(dataset.size(), 20U);
  for (std::uint64_t i = 0; i < 20; ++i) EXPECT_EQ(ToPicture(dataset.Record(i)), pictures[i]) << i;
}

TEST(Dataset, EmptyDatasetIsReported) {
  const TemporaryFolder folder;
  WriteDataset(folder.path(), {}, 8);
  EXPECT_THAT(DataErrorOf([&] { Dataset dataset(folder.path()); }), HasSubstr("no records"));
}

TEST(Dataset, DamagedRecordIsFoundWhenReadAndOnlyThen) {
  const TemporaryFolder folder;
  WriteDataset(folder.path(), MakePictures(20), 8);
  DamageRecord(folder.path(), 1, 3);
  const Dataset dataset(folder.path(), 0);
  for (std::uint64_t i = 0; i < 20; ++i) {
    if (i == 8 + 3) {
      EXPECT_THAT(DataErrorOf([&] { dataset.Record(i); }), HasSubstr("shard-00001.gan"));
      EXPECT_THROW(dataset.Record(i), DataError) << "the second read must not trust it either";
    } else {
      EXPECT_NO_THROW(dataset.Record(i)) << i;
    }
  }
}

}  // namespace
}  // namespace gan::data
