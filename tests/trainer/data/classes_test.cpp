// Classes of a data set, of batches and of generated images.
#include "trainer/data/classes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>

#include "storage/errors.h"
#include "tests/trainer/data/small_dataset.h"
#include "trainer/data/loader.h"

namespace gan::data {
namespace {

const std::vector<ClassInfo> kThree = {{"a", 600}, {"none", 0}, {"b", 200}, {"c", 200}};

std::map<std::uint32_t, int> Counted(const Classes& classes, int draws) {
  std::map<std::uint32_t, int> counts;
  for (int i = 0; i < draws; ++i) ++counts[classes.Draw(7, Stream::kLatentD, static_cast<std::uint64_t>(i))];
  return counts;
}

// Bounds of six standard deviations of a binomial distribution.
TEST(Classes, AreDrawnAsOftenAsTheyOccurOrEquallyOften) {
  const auto as_data = Counted({kThree, ClassSampling::kData}, 10000);
  EXPECT_NEAR(as_data.at(0), 6000, 294);
  EXPECT_NEAR(as_data.at(2), 2000, 240);
  EXPECT_NEAR(as_data.at(3), 2000, 240);
  const auto uniform = Counted({kThree, ClassSampling::kUniform}, 9000);
  for (const std::uint32_t one : {0, 2, 3}) EXPECT_NEAR(uniform.at(one), 3000, 269);
  // G cannot learn what no real image shows.
  EXPECT_FALSE(as_data.contains(1));
  EXPECT_FALSE(uniform.contains(1));
}

TEST(Classes, DependOnSeedStreamAndNumberAlone) {
  const Classes classes(kThree, ClassSampling::kUniform);
  std::set<std::vector<std::uint32_t>> sequences;
  for (const std::uint64_t seed : {1, 2}) {
    for (const Stream stream : {Stream::kLatentD, Stream::kQuality}) {
      std::vector<std::uint32_t> drawn;
      for (std::uint64_t i = 0; i < 40; ++i) drawn.push_back(classes.Draw(seed, stream, i));
      for (std::uint64_t i = 40; i-- > 0;) EXPECT_EQ(classes.Draw(seed, stream, i), drawn[i]);
      sequences.insert(drawn);
    }
  }
  EXPECT_EQ(sequences.size(), 4U);
}

class Labels : public testing::Test {
 protected:
  // Three shards; picture i has the label i % modulus.
  void Write(const std::vector<std::string>& names, std::uint32_t modulus) {
    std::vector<std::vector<Picture>> shards(3);
    for (std::size_t i = 0; i < pictures_.size(); ++i) shards[i / 20].push_back(pictures_[i]);
    WriteLabelledDataset(folder_.path(), shards, names, modulus);
  }

  std::size_t NumberOf(const Picture& picture) const {
    return static_cast<std::size_t>(std::ranges::find(pictures_, picture) - pictures_.begin());
  }

  TemporaryFolder folder_;
  std::vector<Picture> pictures_ = MakePictures(60);
};

TEST_F(Labels, BelongToTheirRecordsWithAndWithoutHoldout) {
  Write({"a", "b", "c"}, 3);
  for (const double holdout : {0.0, 0.3}) {
    const Dataset dataset(folder_.path(), holdout);
    std::vector<std::uint64_t> counts(3);
    for (std::uint64_t i = 0; i < dataset.size(); ++i) {
      EXPECT_EQ(dataset.Label(i), NumberOf(ToPicture(dataset.Record(i))) % 3);
      ++counts[dataset.Label(i)];
    }
    for (std::uint64_t i = 0; i < dataset.holdout_size(); ++i) {
      EXPECT_EQ(dataset.HoldoutLabel(i), NumberOf(ToPicture(dataset.HoldoutRecord(i))) % 3);
    }
    EXPECT_EQ(dataset.LabelCounts(), counts);
  }
}

TEST_F(Labels, TravelWithTheirImagesAlsoWhereADamagedOneIsReplaced) {
  Write({"a", "b", "c", "d", "e", "f", "g"}, 7);
  DamageRecord(folder_.path(), 1, 5);
  const auto dataset = std::make_shared<Dataset>(folder_.path(), 0);
  Loader loader(dataset, {.seed = 3, .count = 60, .stride = 60, .labels = true, .replace_corrupt = true});
  const RawBatch& batch = loader.Next();
  const std::size_t bytes = batch.pixels.size() / 60;
  ASSERT_EQ(batch.labels.size(), 60U);
  for (std::size_t i = 0; i < 60; ++i) {
    const auto begin = batch.pixels.begin() + static_cast<std::ptrdiff_t>(i * bytes);
    EXPECT_EQ(batch.labels[i], NumberOf(Picture(begin, begin + static_cast<std::ptrdiff_t>(bytes))) % 7);
  }
  EXPECT_GE(loader.corrupt_records(), 1U);
}

TEST_F(Labels, AreNotReadUnlessAskedFor) {
  Write({"a"}, 3);  // labels that the manifest does not name
  const auto dataset = std::make_shared<Dataset>(folder_.path(), 0);
  Loader loader(dataset, {.count = 60, .stride = 60});
  EXPECT_TRUE(loader.Next().labels.empty());
}

TEST_F(Labels, BeyondTheManifestAreReportedWithShardAndOffset) {
  Write({"a", "b"}, 3);
  const Dataset dataset(folder_.path(), 0);
  // Record 2 of the first shard: header, 20 records, two entries of the index, its checksum.
  const std::size_t offset = 4096 + 20 * pictures_[0].size() + 2 * 32 + 4;
  EXPECT_THAT([&] { (void)dataset.LabelCounts(); },
              testing::ThrowsMessage<DataError>(testing::AllOf(testing::HasSubstr("shard-00000.gan"),
                                                               testing::HasSubstr(std::to_string(offset)),
                                                               testing::HasSubstr("the label 2"))));
  EXPECT_THROW((void)dataset.Label(2), DataError);
}

}  // namespace
}  // namespace gan::data
