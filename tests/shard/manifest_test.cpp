#include "shard/manifest.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "storage/errors.h"
#include "storage/files.h"
#include "storage/sealed_json.h"
#include "tests/shard/small_shard.h"
#include "tests/storage/temporary_folder.h"

namespace gan::shard {
namespace {

using nlohmann::json;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

class ManifestFile : public ::testing::Test {
 protected:
  ManifestFile() : written_(WriteSmallFolder(folder_.path(), 2)) {
    good_ = json::parse(storage::ReadFile(folder_ / "manifest.json"));
  }
  // Changes the file as a hostile writer would, with a digest that matches.
  void Write(const json& j) const { WriteText(storage::SealJson(j)); }
  void WriteText(const std::string& text) const { storage::WriteFileAtomically(folder_ / "manifest.json", text); }
  Manifest Read() const { return ReadManifest(folder_.path()); }

  testing::TemporaryFolder folder_;
  Manifest written_;
  json good_;
};

TEST_F(ManifestFile, ComesBackAsItWasWritten) {
  const Manifest m = Read();
  EXPECT_EQ(m.records(), 6U);
  EXPECT_EQ(m.shards[1].digest, written_.shards[1].digest);
  EXPECT_EQ(m.labels, written_.labels);
  EXPECT_EQ(m.channel_std, written_.channel_std);
  EXPECT_EQ(m.options, written_.options);
  EXPECT_EQ(m.dataset_digest, written_.dataset_digest);
}

TEST_F(ManifestFile, MissingOneSaysThatTheFolderIsUnfinished) {
  std::filesystem::remove(folder_ / "manifest.json");
  EXPECT_THAT([&] { Read(); }, ThrowsMessage<DataError>(HasSubstr("not a finished data set")));
  EXPECT_THROW(ReadManifest(folder_ / "none"), DataError);
}

TEST_F(ManifestFile, NewerVersionIsRefusedByName) {
  good_["format_version"] = 2;
  Write(good_);
  EXPECT_THAT([&] { Read(); }, ThrowsMessage<DataError>(AllOf(HasSubstr("version 2"), HasSubstr("up to 1"))));
}

TEST_F(ManifestFile, EveryMissingFieldIsReportedByName) {
  for (const auto& [key, value] : good_.items()) {
    if (key == "digest") continue;        // Write() makes it
    if (key == "label_counts") continue;  // older manifests have none
    json j = good_;
    j.erase(key);
    Write(j);
    ASSERT_THAT([&] { Read(); }, ThrowsMessage<DataError>(HasSubstr(key))) << key;
  }
}

TEST_F(ManifestFile, FieldOfAnotherTypeIsReported) {
  for (const auto& [key, value] : good_.items()) {
    if (key == "options" || key == "libraries" || key == "digest") continue;  // free in form, or made by Write()
    json j = good_;
    j[key] = json{{"what", "ever"}};
    Write(j);
    ASSERT_THROW(Read(), DataError) << key;
  }
}

TEST_F(ManifestFile, CountsThatAreNoCountsAreReported) {
  for (const char* key : {"format_version", "image_size", "images_per_shard", "inputs", "accepted", "rejected"}) {
    for (const json& value : {json(-1), json(1.5), json(1e30), json("1"), json(nullptr)}) {
      json j = good_;
      j[key] = value;
      Write(j);
      ASSERT_THROW(Read(), DataError) << key << " " << value;
    }
  }
}

// 2^32 + 1 would be 1 in 32 bits.
TEST_F(ManifestFile, CountThatWouldWrapIsReported) {
  good_["format_version"] = 4294967297ULL;
  Write(good_);
  EXPECT_THAT([&] { Read(); }, ThrowsMessage<DataError>(HasSubstr("format_version")));
}

TEST_F(ManifestFile, CountsThatDisagreeAreReported) {
  for (const char* key : {"accepted", "inputs", "rejected"}) {
    json j = good_;
    j[key] = j[key].get<int>() + 1;
    Write(j);
    ASSERT_THROW(Read(), DataError) << key;
  }
  good_["shards"][0]["records"] = 5;  // more than images_per_shard
  Write(good_);
  EXPECT_THAT([&] { Read(); }, ThrowsMessage<DataError>(HasSubstr("images_per_shard")));
}

TEST_F(ManifestFile, GapInTheShardsIsReported) {
  good_["shards"].erase(0);
  Write(good_);
  EXPECT_THAT([&] { Read(); }, ThrowsMessage<DataError>(HasSubstr("shard 0 is missing")));
}

TEST_F(ManifestFile, ExchangedDigestIsReported) {
  good_["shards"][0]["digest"] = "xxh3-128:00000000000000000000000000000000";
  Write(good_);
  EXPECT_THAT([&] { Read(); }, ThrowsMessage<DataError>(HasSubstr("dataset_digest")));
}

TEST_F(ManifestFile, EveryFlippedBitAndTruncationIsReportedWithTheFilesName) {
  const std::string text = storage::ReadFile(folder_ / "manifest.json");
  const std::string name = (folder_ / "manifest.json").string();
  for (std::size_t i = 0; i < text.size(); ++i) {
    std::string damaged = text;
    damaged[i] = static_cast<char>(damaged[i] ^ (1 << (i % 8)));
    WriteText(damaged);
    ASSERT_THAT([&] { Read(); }, ThrowsMessage<DataError>(HasSubstr(name))) << i << " " << damaged;
    WriteText(text.substr(0, i));
    ASSERT_THAT([&] { Read(); }, ThrowsMessage<DataError>(HasSubstr(name + " at byte "))) << i;
  }
}

// White space that becomes other white space changes nothing that JSON says; the damage is reported all the same.
TEST_F(ManifestFile, ChangedWhiteSpaceIsReportedWithItsPlace) {
  std::string text = storage::ReadFile(folder_ / "manifest.json");
  text[1] = ' ';
  WriteText(text);
  EXPECT_THAT([&] { Read(); }, ThrowsMessage<DataError>(HasSubstr("manifest.json at byte 1: was changed")));
}

TEST_F(ManifestFile, NumberBeyondAllRangeIsReported) {
  WriteText("{\"format_version\": 1e999}");
  EXPECT_THROW(Read(), DataError);
  WriteText("[1]");
  EXPECT_THROW(Read(), DataError);
}

TEST_F(ManifestFile, CountsPerLabelThatDoNotFitAreReported) {
  good_["labels"] = {"a", "b"};
  good_["label_counts"] = {4, 2};
  Write(good_);
  EXPECT_EQ(Read().label_counts, (std::vector<std::uint64_t>{4, 2}));
  for (const json& counts : {json{4, 3}, json{4, 1}, json{6}, json{-1, 7}, json{18446744073709551615ULL, 0},
                             json{4, 2, 0}, json{4.0, 2}, json{{"a", 4}}, json("4")}) {
    good_["label_counts"] = counts;
    Write(good_);
    EXPECT_THAT([&] { Read(); }, ThrowsMessage<DataError>(HasSubstr("label_counts"))) << counts;
  }
  good_.erase("label_counts");  // as older versions wrote it
  Write(good_);
  EXPECT_TRUE(Read().label_counts.empty());
}

}  // namespace
}  // namespace gan::shard
