// Every changed byte of a checkpoint is found, and the newest intact one is used.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "checkpoint/manifest.h"
#include "storage/errors.h"
#include "storage/files.h"
#include "storage/sealed_json.h"
#include "tests/checkpoint/ranks_as_threads.h"
#include "tests/checkpoint/small_checkpoint.h"
#include "tests/storage/temporary_folder.h"

namespace gan::checkpoint {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using ::testing::AllOf;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

class DamagedCheckpoint : public ::testing::Test {
 protected:
  void Edit(const std::function<void(json&)>& edit) {
    json manifest = json::parse(storage::ReadFile(folder_ / "manifest.json"));
    edit(manifest);
    Overwrite(folder_ / "manifest.json", storage::SealJson(manifest));
  }
  void ExpectRefused(const std::string& words) {
    EXPECT_THAT([&] { Load(folder_); }, ThrowsMessage<DataError>(AllOf(HasSubstr(folder_.string()), HasSubstr(words))));
    EXPECT_THROW(Verify(folder_), DataError);
  }

  testing::TemporaryFolder root_;
  fs::path folder_ = WriteSmallCheckpoint(root_.path(), 3);
};

TEST(Manifest, OneOfAShardFolderIsNamed) {
  try {
    DecodeManifest(R"({"format_version": 1, "shards": []})", "shards/manifest.json");
    FAIL() << "a shard folder was taken for a checkpoint";
  } catch (const DataError& error) {
    EXPECT_STREQ(error.what(), "shards/manifest.json: is the manifest of a shard folder, not of a checkpoint");
  }
}

// 900 bytes in all, each of which is changed in three ways.
TEST_F(DamagedCheckpoint, EveryFlipAndTruncationIsReportedWithTheFilesName) {
  for (const fs::path& file : FilesOf(folder_)) {
    const std::string whole = storage::ReadFile(file);
    for (std::size_t i = 0; i < whole.size(); ++i) {
      for (const int mask : {1 << (i % 8), 0xFF}) {
        std::string damaged = whole;
        damaged[i] = static_cast<char>(damaged[i] ^ mask);
        Overwrite(file, damaged);
        ASSERT_THAT([&] { Verify(folder_); }, ThrowsMessage<DataError>(HasSubstr(file.string()))) << i << " " << mask;
      }
      Overwrite(file, whole.substr(0, i));
      ASSERT_THAT([&] { Verify(folder_); }, ThrowsMessage<DataError>(HasSubstr(file.string()))) << i;
    }
    Overwrite(file, whole);
  }
  EXPECT_NO_THROW(Verify(folder_));
}

TEST_F(DamagedCheckpoint, MissingFilesAreReported) {
  fs::remove(folder_ / "part-00000-of-00001.safetensors");
  ExpectRefused("part-00000-of-00001.safetensors: is missing");
  fs::remove(folder_ / "manifest.json");
  ExpectRefused("no manifest.json");
  fs::remove_all(folder_);
  ExpectRefused("no such checkpoint");
}

TEST_F(DamagedCheckpoint, NewerVersionIsRefusedByName) {
  Edit([](json& j) { j["format_version"] = 2; });
  ExpectRefused("checkpoint format version 2; this program reads up to 1");
  Edit([](json& j) { j["format_version"] = 4294967297ULL; });  // would be 1 if it were cut to 32 bits
  ExpectRefused("checkpoint format version 4294967297");
}

TEST_F(DamagedCheckpoint, MissingAndStrangeFieldsAreReported) {
  for (const char* key : {"format_version", "step", "images", "lineage", "state", "parts"}) {
    const std::string before = storage::ReadFile(folder_ / "manifest.json");
    Edit([&](json& j) { j.erase(key); });
    ExpectRefused(key);
    Overwrite(folder_ / "manifest.json", before);
    for (const json& value : {json(-1), json(1.5), json(nullptr)}) {
      if (std::string(key) == "state") continue;  // free in form
      Edit([&](json& j) { j[key] = value; });
      ExpectRefused("manifest.json");
      Overwrite(folder_ / "manifest.json", before);
    }
  }
}

TEST_F(DamagedCheckpoint, PartWithAStrangeNameIsNeverOpened) {
  for (const char* name : {"../../etc/passwd", "part-00000-of-00002.safetensors", "/etc/passwd", ""}) {
    Edit([&](json& j) { j["parts"][0]["name"] = name; });
    ExpectRefused("unexpected part");
  }
  Edit([](json& j) { j["parts"] = json::array(); });
  ExpectRefused("no parts");
}

TEST_F(DamagedCheckpoint, TensorInTwoPartsIsReported) {
  const std::string part = storage::ReadFile(folder_ / "part-00000-of-00001.safetensors");
  for (const char* name : {"part-00000-of-00002.safetensors", "part-00001-of-00002.safetensors"}) {
    Overwrite(folder_ / name, part);
  }
  Edit([](json& j) {
    j["parts"].push_back(j["parts"][0]);
    j["parts"][0]["name"] = "part-00000-of-00002.safetensors";
    j["parts"][1]["name"] = "part-00001-of-00002.safetensors";
  });
  ExpectRefused("repeats tensor d.weight");
}

class Newest : public ::testing::TestWithParam<int> {};

TEST_P(Newest, FallsBackOverDamagedOnesAndSetsThemAside) {
  const testing::TemporaryFolder root;
  for (const std::uint64_t step : {1, 2, 3, 4}) WriteSmallCheckpoint(root.path(), step);
  const int damaged = GetParam();
  for (int i = 0; i < damaged; ++i) {
    const fs::path folder = CheckpointFolderName(root.path(), static_cast<std::uint64_t>(4 - i));
    if (i == 0) Overwrite(folder / "part-00000-of-00001.safetensors", "torn");
    if (i == 1) fs::remove(folder / "part-00000-of-00001.safetensors");
    if (i == 2) Overwrite(folder / "manifest.json", "{");
    if (i == 3) fs::resize_file(folder / "part-00000-of-00001.safetensors", 100);
  }
  std::vector<std::string> warnings;
  const auto found = LoadNewest(root.path(), RankGroup{}, [&](const std::string& text) { warnings.push_back(text); });
  EXPECT_EQ(warnings.size(), static_cast<std::size_t>(damaged));
  for (const std::string& text : warnings) EXPECT_THAT(text, HasSubstr("set aside as step-"));
  ASSERT_TRUE(found);
  EXPECT_EQ(found->step, static_cast<std::uint64_t>(4 - damaged));
  EXPECT_EQ(ListCheckpoints(root.path()).size(), static_cast<std::size_t>(4 - damaged));
  EXPECT_EQ(FilesOf(root.path()).size(), 4U);  // nothing is lost by setting aside
}

INSTANTIATE_TEST_SUITE_P(Damaged, Newest, ::testing::Values(0, 1, 2, 3));

const auto kSilent = [](const std::string& text) { ADD_FAILURE() << text; };

TEST(LoadNewest, WhereNoneIsIntactNothingIsRenamedAndItIsAnErrorEveryTime) {
  const testing::TemporaryFolder root;
  for (const std::uint64_t step : {1, 2}) {
    Overwrite(WriteSmallCheckpoint(root.path(), step) / "part-00000-of-00001.safetensors", "torn");
  }
  const auto before = FilesOf(root.path());
  for (int turn = 0; turn < 2; ++turn) {
    EXPECT_THAT([&] { LoadNewest(root.path(), RankGroup{}, kSilent); },
                ThrowsMessage<DataError>(AllOf(HasSubstr("2 checkpoints, none of them intact"),
                                               HasSubstr("step-00000002/part-00000-of-00001.safetensors"))));
    EXPECT_EQ(FilesOf(root.path()), before);
  }
}

TEST(LoadNewest, WhereAllWereSetAsideARunDoesNotBeginAnew) {
  for (const char* name : {"step-00000001.damaged", "step-00000001.damaged-1", "step-00000001.abandoned-a"}) {
    const testing::TemporaryFolder root;
    fs::rename(WriteSmallCheckpoint(root.path(), 1), root / name);
    EXPECT_THAT([&] { LoadNewest(root.path(), RankGroup{}, kSilent); },
                ThrowsMessage<DataError>(HasSubstr("set aside")));
  }
}

TEST(LoadNewest, NewerVersionIsNoDamage) {
  const testing::TemporaryFolder root;
  for (const std::uint64_t step : {1, 2}) WriteSmallCheckpoint(root.path(), step);
  json manifest = json::parse(storage::ReadFile(root / "step-00000002/manifest.json"));
  manifest["format_version"] = kFormatVersion + 1;
  Overwrite(root / "step-00000002/manifest.json", storage::SealJson(manifest));
  const auto before = FilesOf(root.path());
  EXPECT_THROW(LoadNewest(root.path(), RankGroup{}, kSilent), NewerVersionError);
  EXPECT_EQ(FilesOf(root.path()), before);
}

// A name that no system call accepts, so the folder cannot be examined. That says nothing about its content.
fs::path Unreadable(const fs::path& root) { return root / std::string(300, 'x') / "step-00000001"; }

TEST(LoadNewest, AFolderThatCannotBeListedIsNotAnEmptyOne) {
  const testing::TemporaryFolder root;
  EXPECT_THROW(LoadNewest(Unreadable(root.path()), RankGroup{}, kSilent), RankError);
  EXPECT_THROW(ListCheckpoints(Unreadable(root.path())), IoError);
}

TEST(LoadNewest, StrayFilesAreNoDamage) {
  const testing::TemporaryFolder root;
  WriteSmallCheckpoint(root.path(), 1);
  for (const char* name : {"step-00000002", "step-00000003.tmp", "notes", "manifest.json"}) Overwrite(root / name, "");
  fs::create_directory(root / "step-00000004");
  const auto found = LoadNewest(root.path(), RankGroup{}, kSilent);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->step, 1U);
}

TEST(LoadNewest, EmptyAndMissingRootsHaveNone) {
  const testing::TemporaryFolder root;
  EXPECT_FALSE(LoadNewest(root.path(), RankGroup{}, kSilent));
  EXPECT_FALSE(LoadNewest(root / "none", RankGroup{}, kSilent));
}

// Lets each of the ranks 0 to 2 load its own folder. Returns what each of them throws.
std::vector<std::string> Told(const std::vector<fs::path>& folders) {
  std::vector<std::string> told(folders.size());
  OnRanks(static_cast<int>(folders.size()), [&](const RankGroup& ranks) {
    std::string& mine = told[static_cast<std::size_t>(ranks.rank)];
    try {
      LoadTogether(folders[static_cast<std::size_t>(ranks.rank)], ranks);
    } catch (const RankError& error) {
      mine = std::string("RankError: ") + error.what();
    } catch (const NewerVersionError& error) {
      mine = "NewerVersionError";
    } catch (const DataError& error) {
      mine = "DataError";
    }
  });
  return told;
}

class Together : public ::testing::Test {
 protected:
  testing::TemporaryFolder root_, other_;
  fs::path good_ = WriteSmallCheckpoint(root_.path(), 1);
  fs::path damaged_ = WriteSmallCheckpoint(root_.path(), 2);
  void SetUp() override { Overwrite(damaged_ / "part-00000-of-00001.safetensors", "torn"); }
};

TEST_F(Together, OneJudgementOfAllIsThatJudgement) {
  EXPECT_THAT(Told({good_, good_, good_}), Each(""));
  EXPECT_THAT(Told({damaged_, damaged_, damaged_}), Each("DataError"));
}

TEST_F(Together, ARankThatCannotReadIsNamedOnEveryRankAndNothingIsJudged) {
  for (const fs::path& others : {good_, damaged_}) {
    EXPECT_THAT(Told({others, Unreadable(root_.path()), others}),
                Each(AllOf(HasSubstr("RankError: rank 1 on "), HasSubstr("File name too long"),
                           HasSubstr("nothing was changed"))));
  }
}

TEST_F(Together, DamageThatOneRankAloneSeesIsADisagreement) {
  EXPECT_THAT(Told({good_, good_, damaged_}), Each(AllOf(HasSubstr("RankError: the ranks disagree"),
                                                         HasSubstr("rank 2 on "), HasSubstr("part-00000"))));
}

TEST_F(Together, IntactOnesThatAreNotTheSameAreADisagreement) {
  EXPECT_THAT(Told({good_, WriteSmallCheckpoint(other_.path(), 5)}), Each(HasSubstr("RankError: the ranks disagree")));
}

}  // namespace
}  // namespace gan::checkpoint
