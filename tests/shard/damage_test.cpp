#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <string>

#include "shard/shard_format.h"
#include "shard/shard_reader.h"
#include "storage/checksum.h"
#include "storage/errors.h"
#include "tests/shard/small_shard.h"
#include "tests/storage/temporary_folder.h"

namespace gan::shard {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

// Header numbers by their places, as docs/shard-format.md gives them.
constexpr std::size_t kVersionAt = 8, kImageSizeAt = 16, kRecordsAt = 24, kFooterOffsetAt = 32, kFooterBytesAt = 40,
                      kFooterCrcAt = 48, kHeaderCrcAt = 52;

// When a shard was truncated after it was opened, a request for the name of a record fails. The reader must not read
// beyond the new end of the file.
TEST(LostShard, IndexThatCanNoLongerBeReadIsTold) {
  const testing::TemporaryFolder folder;
  const std::filesystem::path file = folder / "shard-00000.gan";
  WriteSmallShard(file, 0);
  const ShardReader reader(file);
  EXPECT_NO_THROW(reader.Info(0));
  std::filesystem::resize_file(file, kHeaderBytes);
  EXPECT_THAT([&] { reader.VerifyRecord(0); },
              ThrowsMessage<DataError>(AllOf(HasSubstr(file.string()), HasSubstr("can no longer be read"))));
  EXPECT_THROW(reader.Info(0), DataError);
}

class DamagedShard : public ::testing::Test {
 protected:
  DamagedShard() {
    WriteSmallShard(file_, 0);
    bytes_ = BytesOf(file_);
    footer_ = kHeaderBytes + kSmallRecords * RecordBytes(kSmallSize);
  }

  template <typename Number>
  void Set(std::size_t at, Number value) {
    std::memcpy(&bytes_[at], &value, sizeof value);
  }
  // Changes the file as a hostile writer would, with checksums that match.
  void Seal() {
    const auto all = std::span<const std::byte>(bytes_);
    Set(kFooterCrcAt, storage::Crc32c(all.subspan(footer_)));
    Set(kHeaderCrcAt, storage::Crc32c(std::span<const std::byte>(bytes_).first(kHeaderCrcAt)));
    Overwrite(file_, bytes_);
  }
  // Opens it and reads everything.
  void ReadAll() const {
    const ShardReader reader(file_);
    for (std::size_t i = 0; i < reader.size(); ++i) {
      reader.VerifyRecord(i);
      static_cast<void>(reader.Info(i));
    }
  }

  testing::TemporaryFolder folder_;
  std::filesystem::path file_ = folder_ / "shard-00000.gan";
  std::vector<std::byte> bytes_;
  std::size_t footer_ = 0;
};

TEST_F(DamagedShard, EveryFlippedByteIsReportedWithTheFilesName) {
  for (std::size_t i = 0; i < bytes_.size(); ++i) {
    for (const std::byte mask : {std::byte{0x01}, std::byte{0x80}, std::byte{0xFF}}) {
      std::vector<std::byte> damaged = bytes_;
      damaged[i] ^= mask;
      Overwrite(file_, damaged);
      ASSERT_THAT([&] { ReadAll(); }, ThrowsMessage<DataError>(HasSubstr(file_.string() + " at byte "))) << i;
    }
  }
}

TEST_F(DamagedShard, FlipInARecordNamesItsFirstByte) {
  bytes_[kHeaderBytes + 192 + 7] ^= std::byte{4};
  Overwrite(file_, bytes_);
  EXPECT_THAT([&] { ReadAll(); }, ThrowsMessage<DataError>(HasSubstr("at byte 4288: record 1")));
}

TEST_F(DamagedShard, TruncationAtEveryLengthIsReported) {
  for (std::size_t size = 0; size < bytes_.size(); ++size) {
    std::filesystem::resize_file(file_, bytes_.size() - size - 1);
    ASSERT_THROW(ReadAll(), DataError) << size;
  }
}

TEST_F(DamagedShard, OneByteTooManyIsReported) {
  std::filesystem::resize_file(file_, bytes_.size() + 1);
  EXPECT_THROW(ReadAll(), DataError);
}

TEST_F(DamagedShard, NewerVersionIsRefusedByName) {
  Set(kVersionAt, kFormatVersion + 1);
  Seal();
  EXPECT_THAT([&] { ReadAll(); }, ThrowsMessage<DataError>(AllOf(HasSubstr("version 2"), HasSubstr("up to 1"))));
}

TEST_F(DamagedShard, OtherFileIsNoShard) {
  Overwrite(file_, {std::byte{'P'}, std::byte{'K'}});
  EXPECT_THAT([&] { ReadAll(); }, ThrowsMessage<DataError>(HasSubstr("is not a shard")));
}

TEST_F(DamagedShard, HostileCountsWithGoodChecksumsAreRefused) {
  const std::vector<std::byte> good = bytes_;
  for (const std::uint64_t value : {std::uint64_t{0}, std::uint64_t{2}, std::uint64_t{4}, std::uint64_t{1} << 32,
                                    std::uint64_t{1} << 63, (std::uint64_t{1} << 58) + 3, ~std::uint64_t{0}}) {
    for (const std::size_t at : {kRecordsAt, kFooterOffsetAt, kFooterBytesAt}) {
      bytes_ = good;
      Set(at, value);
      Seal();
      ASSERT_THROW(ReadAll(), DataError) << at << " " << value;
    }
  }
}

TEST_F(DamagedShard, HostileImageSizesAreRefused) {
  for (const std::uint32_t size : {0U, 7U, 9U, kMaxImageSize + 1, 0xFFFFFFFFU}) {
    Set(kImageSizeAt, size);
    Seal();
    ASSERT_THROW(ReadAll(), DataError) << size;
  }
}

TEST_F(DamagedShard, NameOutsideTheIndexIsRefused) {
  const std::size_t name_offset_at = footer_ + 16;
  const std::size_t name_bytes_at = footer_ + 24;
  Set(name_offset_at, ~std::uint64_t{0});
  Seal();
  EXPECT_THAT([&] { ReadAll(); }, ThrowsMessage<DataError>(HasSubstr("a name lies outside the index")));
  Set(name_offset_at, std::uint64_t{0});
  Set(name_bytes_at, ~std::uint32_t{0});
  Seal();
  EXPECT_THROW(ReadAll(), DataError);
}

}  // namespace
}  // namespace gan::shard
