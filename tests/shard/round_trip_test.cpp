#include <gtest/gtest.h>

#include <algorithm>
#include <stdexcept>
#include <string>

#include "shard/shard_format.h"
#include "shard/shard_reader.h"
#include "shard/shard_writer.h"
#include "storage/errors.h"
#include "tests/shard/small_shard.h"
#include "tests/storage/temporary_folder.h"

namespace gan::shard {
namespace {

TEST(Shard, ComesBackAsItWasWritten) {
  const testing::TemporaryFolder folder;
  WriteSmallShard(folder / "s.gan", 5);
  const ShardReader reader(folder / "s.gan");
  EXPECT_EQ(reader.number(), 5U);
  EXPECT_EQ(reader.image_size(), kSmallSize);
  ASSERT_EQ(reader.size(), kSmallRecords);
  for (std::size_t i = 0; i < reader.size(); ++i) {
    EXPECT_TRUE(std::ranges::equal(reader.Record(i), SmallRecord(i)));
    EXPECT_NO_THROW(reader.VerifyRecord(i));
    EXPECT_EQ(reader.Info(i).label, i);
    EXPECT_EQ(reader.Info(i).input, 20 + i);
    EXPECT_EQ(reader.Info(i).crc32c, reader.RecordCrc32c(i));
  }
  EXPECT_EQ(reader.Info(0).source, "a.png");
  EXPECT_EQ(reader.Info(1).source, "");
  EXPECT_EQ(reader.Info(2).source, "cat/\xff.jpg");
}

TEST(Shard, RecordsStartAtAPageForNumpy) {
  const testing::TemporaryFolder folder;
  WriteSmallShard(folder / "s.gan", 0);
  const auto bytes = BytesOf(folder / "s.gan");
  EXPECT_TRUE(std::ranges::equal(std::span(bytes).subspan(4096 + 192, 192), SmallRecord(1)));
  EXPECT_EQ(RecordBytes(128), 49152U);
}

TEST(Shard, SameRecordsGiveTheSameBytes) {
  const testing::TemporaryFolder folder;
  WriteSmallShard(folder / "a.gan", 1);
  WriteSmallShard(folder / "b.gan", 1);
  EXPECT_EQ(BytesOf(folder / "a.gan"), BytesOf(folder / "b.gan"));
}

TEST(Shard, EmptyOneIsReadable) {
  const testing::TemporaryFolder folder;
  ShardWriter(folder / "s.gan", 0, 128).Commit();
  EXPECT_EQ(ShardReader(folder / "s.gan").size(), 0U);
}

TEST(Shard, IsNotThereBeforeCommit) {
  const testing::TemporaryFolder folder;
  { ShardWriter(folder / "s.gan", 0, kSmallSize).Append(SmallRecord(0), {}); }
  EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
}

TEST(Shard, RecordOfTheWrongSizeIsRefused) {
  const testing::TemporaryFolder folder;
  ShardWriter writer(folder / "s.gan", 0, 16);
  EXPECT_THROW(writer.Append(SmallRecord(0), {}), std::invalid_argument);
}

TEST(Shard, VeryLongNameIsCut) {
  const testing::TemporaryFolder folder;
  ShardWriter writer(folder / "s.gan", 0, kSmallSize);
  writer.Append(SmallRecord(0), {.source = std::string(kMaxNameBytes + 10, 'n')});
  writer.Commit();
  EXPECT_EQ(ShardReader(folder / "s.gan").Info(0).source.size(), kMaxNameBytes);
}

TEST(ShardFileName, IsParsedBackAndNothingElseIs) {
  EXPECT_EQ(ShardFileName("d", 42), std::filesystem::path("d/shard-00042.gan"));
  for (const std::uint32_t number : {0U, 99999U, 100000U, 4294967295U}) {
    EXPECT_EQ(ParseShardFileName(ShardFileName("", number).string()), number);
  }
  for (const char* name : {"shard-42.gan", "shard-000042.gan", "shard--0001.gan", "shard-00001.gan.tmp-7", "shard-.gan",
                           "shard-0000x.gan", "shard-99999999999.gan", "", "manifest.json"}) {
    EXPECT_EQ(ParseShardFileName(name), std::nullopt) << name;
  }
}

}  // namespace
}  // namespace gan::shard
