#include "trainer/data/loader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <map>
#include <set>
#include <string>
#include <thread>

#include "shard/shard_format.h"
#include "storage/errors.h"
#include "tests/trainer/data/small_dataset.h"
#include "trainer/data/sampler.h"

namespace gan::data {
namespace {

class LoaderTest : public testing::Test {
 protected:
  LoaderTest() : pictures_(MakePictures(50)) {
    WriteDataset(folder_.path(), pictures_, 16);
    dataset_ = std::make_shared<Dataset>(folder_.path(), 0.1);
  }

  std::size_t picture_bytes() const { return pictures_.front().size(); }

  // The pictures of `batches` batches, by cursor.
  void Collect(const LoaderOptions& options, int batches, std::map<std::uint64_t, Picture>& seen) {
    Loader loader(dataset_, options);
    for (int k = 0; k < batches; ++k) {
      const RawBatch& batch = loader.Next();
      ASSERT_EQ(batch.cursor, options.first + static_cast<std::uint64_t>(k) * options.stride);
      ASSERT_EQ(batch.pixels.size(), options.count * picture_bytes());
      for (std::uint64_t i = 0; i < options.count; ++i) {
        const auto begin = batch.pixels.begin() + static_cast<std::ptrdiff_t>(i * picture_bytes());
        const Picture picture(begin, begin + static_cast<std::ptrdiff_t>(picture_bytes()));
        ASSERT_TRUE(seen.emplace(batch.cursor + i, picture).second) << "cursor " << batch.cursor + i << " twice";
      }
    }
  }

  TemporaryFolder folder_;
  std::vector<Picture> pictures_;
  std::shared_ptr<const Dataset> dataset_;
};

TEST_F(LoaderTest, ImagesComeInTheOrderOfSampleAtOverEpochs) {
  std::map<std::uint64_t, Picture> seen;
  Collect({.seed = 3, .count = 7, .first = 100, .stride = 7}, 30, seen);
  ASSERT_EQ(seen.size(), 210U);
  for (const auto& [cursor, picture] : seen) {
    EXPECT_EQ(picture, ToPicture(dataset_->Record(SampleAt(cursor, dataset_->size(), 3)))) << cursor;
  }
}

TEST_F(LoaderTest, TwoRanksTogetherSeeExactlyWhatOneSees) {
  std::map<std::uint64_t, Picture> one, two;
  Collect({.seed = 5, .count = 8, .first = 16, .stride = 8, .flip = true}, 20, one);
  Collect({.seed = 5, .count = 4, .first = 16, .stride = 8, .flip = true}, 20, two);
  Collect({.seed = 5, .count = 4, .first = 20, .stride = 8, .flip = true}, 20, two);
  EXPECT_EQ(one, two);
}

TEST_F(LoaderTest, AResumedLoaderGoesOnWhereTheFirstStood) {
  std::map<std::uint64_t, Picture> whole, pieces;
  Collect({.seed = 5, .count = 6, .stride = 6, .flip = true}, 20, whole);
  Collect({.seed = 5, .count = 6, .stride = 6, .flip = true}, 9, pieces);
  Collect({.seed = 5, .count = 6, .first = 54, .stride = 6, .flip = true}, 11, pieces);
  EXPECT_EQ(whole, pieces);
}

Picture Mirrored(const Picture& picture) {
  Picture out(picture.size(), '\0');
  for (std::size_t y = 0; y < kPictureSize; ++y) {
    for (std::size_t x = 0; x < kPictureSize; ++x) {
      for (std::size_t c = 0; c < 3; ++c) {
        out[(y * kPictureSize + x) * 3 + c] = picture[(y * kPictureSize + kPictureSize - 1 - x) * 3 + c];
      }
    }
  }
  return out;
}

TEST_F(LoaderTest, FlipMirrorsAboutHalfOfTheImagesLeftRight) {
  std::map<std::uint64_t, Picture> plain, flipped;
  Collect({.seed = 5, .count = 10, .stride = 10}, 100, plain);
  Collect({.seed = 5, .count = 10, .stride = 10, .flip = true}, 100, flipped);
  int mirrored = 0;
  for (const auto& [cursor, picture] : flipped) {
    if (picture == plain[cursor]) continue;
    EXPECT_EQ(picture, Mirrored(plain[cursor])) << cursor;
    ++mirrored;
  }
  EXPECT_NEAR(mirrored, 500, 80);
}

TEST_F(LoaderTest, BatchesReuseTheirMemory) {
  Loader loader(dataset_, {.count = 4, .stride = 4, .prefetch = 2});
  std::set<const std::uint8_t*> addresses;
  for (int i = 0; i < 50; ++i) addresses.insert(loader.Next().pixels.data());
  EXPECT_EQ(addresses.size(), 3U);
}

TEST_F(LoaderTest, ABatchStaysUntouchedUntilTheNextCall) {
  for (std::size_t prefetch : {0U, 1U, 3U}) {
    Loader loader(dataset_, {.count = 4, .stride = 4, .prefetch = prefetch});
    for (int i = 0; i < 5; ++i) {
      const RawBatch& batch = loader.Next();
      const RawBatch copy = batch;
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
      EXPECT_EQ(batch.cursor, copy.cursor);
      EXPECT_EQ(batch.pixels, copy.pixels);
    }
  }
}

// The sum of Rss in /proc/self/smaps over the mappings of the shards in `folder`.
std::uint64_t MappedKilobytes(const std::filesystem::path& folder) {
  std::ifstream smaps("/proc/self/smaps");
  std::uint64_t sum = 0;
  bool ours = false;
  for (std::string line; std::getline(smaps, line);) {
    if (line.find(folder.string()) != std::string::npos) ours = true;
    if (!line.starts_with("Rss:")) continue;
    if (ours) sum += std::stoull(line.substr(4));
    ours = false;
  }
  return sum;
}

TEST_F(LoaderTest, PagesThatWereReadDoNotStayMapped) {
  const std::vector<Picture> many = MakePictures(4000);  // 768 kB
  const TemporaryFolder large;
  WriteDataset(large.path(), many, 4000);
  const auto kilobytes_after_an_epoch = [&](std::uint64_t mapped_bytes) {
    const auto dataset = std::make_shared<Dataset>(large.path(), 0);
    dataset->Unmap();
    Loader loader(dataset, {.count = 100, .stride = 100, .prefetch = 0, .mapped_bytes = mapped_bytes});
    for (int i = 0; i < 40; ++i) loader.Next();
    return MappedKilobytes(large.path());
  };
  EXPECT_GE(kilobytes_after_an_epoch(1 << 30), 768U);
  EXPECT_LE(kilobytes_after_an_epoch(1), 256U);  // a fault maps 16 pages around; the footer is not read again
}

TEST_F(LoaderTest, WaitSecondsCountsOnlyTheWaiting) {
  const auto start = std::chrono::steady_clock::now();
  Loader loader(dataset_, {.count = 64, .stride = 64, .prefetch = 0});
  EXPECT_EQ(loader.wait_seconds(), 0);
  double before = 0;
  for (int i = 0; i < 20; ++i) {
    loader.Next();
    EXPECT_GE(loader.wait_seconds(), before);
    before = loader.wait_seconds();
  }
  // Without prefetch all but the first batch must be waited for.
  EXPECT_GT(before, 0);
  EXPECT_LE(before, std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
}

TEST_F(LoaderTest, EndsAtOnceWhateverTheBackgroundThreadDoes) {
  for (int i = 0; i < 50; ++i) {
    Loader loader(dataset_, {.count = 3, .stride = 3, .prefetch = 4});
    for (int k = 0; k < i % 4; ++k) loader.Next();
  }
}

TEST_F(LoaderTest, DamagedRecordOfTheBackgroundThreadIsRethrownAfterTheGoodBatches) {
  DamageRecord(folder_.path(), 1, 5);
  const auto whole = std::make_shared<Dataset>(folder_.path(), 0);
  std::uint64_t bad_cursor = 0;
  while (SampleAt(bad_cursor, 50, 1) != 16 + 5) ++bad_cursor;
  Loader loader(whole, {.seed = 1, .count = 1, .stride = 1, .prefetch = 3});
  for (std::uint64_t cursor = 0; cursor < bad_cursor; ++cursor) EXPECT_EQ(loader.Next().cursor, cursor);
  for (int again = 0; again < 2; ++again) EXPECT_THROW(loader.Next(), DataError);
}

TEST_F(LoaderTest, ADamagedRecordIsReplacedByTheNextIntactOneWhenAsked) {
  DamageRecord(folder_.path(), 1, 5);
  DamageRecord(folder_.path(), 1, 6);
  const auto whole = std::make_shared<Dataset>(folder_.path(), 0);
  Loader loader(whole, {.seed = 1, .count = 50, .stride = 50, .replace_corrupt = true});
  const RawBatch& batch = loader.Next();
  for (std::uint64_t cursor = 0; cursor < 50; ++cursor) {
    const std::uint64_t sample = SampleAt(cursor, 50, 1);
    const auto begin = batch.pixels.begin() + static_cast<std::ptrdiff_t>(cursor * picture_bytes());
    const Picture seen(begin, begin + static_cast<std::ptrdiff_t>(picture_bytes()));
    EXPECT_EQ(seen, pictures_[sample == 21 || sample == 22 ? 23 : sample]) << sample;
  }
  EXPECT_GE(loader.corrupt_records(), 3U);  // 21, 22 after it, and 22 itself
  EXPECT_THAT(loader.last_corrupt(), testing::HasSubstr("shard-00001.gan"));
}

TEST_F(LoaderTest, WithoutAnyIntactRecordThereIsNothingToTakeInstead) {
  for (std::uint32_t shard = 0; shard < 4; ++shard) {
    for (std::uint64_t i = 0; i < (shard < 3 ? 16U : 2U); ++i) DamageRecord(folder_.path(), shard, i);
  }
  Loader loader(std::make_shared<Dataset>(folder_.path(), 0), {.count = 1, .stride = 1, .replace_corrupt = true});
  EXPECT_THROW(loader.Next(), DataError);
}

// Reading what a file no longer has would end the process (SIGBUS).
TEST_F(LoaderTest, AShardThatBecomesShorterIsTheErrorOfADamagedRecord) {
  const auto whole = std::make_shared<Dataset>(folder_.path(), 0);
  Loader loader(whole, {.seed = 1, .count = 50, .stride = 50, .prefetch = 0});
  loader.Next();  // every record was right once
  std::filesystem::resize_file(shard::ShardFileName(folder_.path(), 1), shard::kHeaderBytes);
  EXPECT_THAT([&] { loader.Next(); },
              testing::ThrowsMessage<DataError>(testing::AllOf(testing::HasSubstr("shard-00001.gan at byte"),
                                                               testing::HasSubstr("can no longer be read"))));
}

TEST_F(LoaderTest, RecordsOfAShardThatBecomesShorterAreReplacedWhenAsked) {
  const auto whole = std::make_shared<Dataset>(folder_.path(), 0);
  Loader loader(whole, {.seed = 1, .count = 50, .stride = 50, .replace_corrupt = true, .prefetch = 0});
  loader.Next();
  std::filesystem::resize_file(shard::ShardFileName(folder_.path(), 1), shard::kHeaderBytes);
  const RawBatch& batch = loader.Next();
  for (std::uint64_t i = 0; i < 50; ++i) {
    const std::uint64_t sample = SampleAt(50 + i, 50, 1);
    const auto begin = batch.pixels.begin() + static_cast<std::ptrdiff_t>(i * picture_bytes());
    const Picture seen(begin, begin + static_cast<std::ptrdiff_t>(picture_bytes()));
    EXPECT_EQ(seen, pictures_[sample >= 16 && sample < 32 ? 32 : sample]) << sample;
  }
  EXPECT_GE(loader.corrupt_records(), 16U);
}

TEST_F(LoaderTest, ImpossibleSizesAreRefused) {
  EXPECT_THROW(Loader(dataset_, {.count = 0, .stride = 4}), UsageError);
  EXPECT_THROW(Loader(dataset_, {.count = 5, .stride = 4}), UsageError);
}

}  // namespace
}  // namespace gan::data
