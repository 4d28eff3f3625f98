// Save: the whole checkpoint or nothing, on every rank.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <limits>
#include <map>
#include <optional>

#include "checkpoint/manifest.h"
#include "storage/errors.h"
#include "storage/files.h"
#include "tests/checkpoint/ranks_as_threads.h"
#include "tests/checkpoint/small_checkpoint.h"
#include "tests/storage/temporary_folder.h"

namespace gan::checkpoint {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

TEST(Save, ComesBackAsItWasSaved) {
  const testing::TemporaryFolder root;
  const fs::path folder = WriteSmallCheckpoint(root.path(), 5);
  EXPECT_EQ(folder, root / "step-00000005");
  const Checkpoint loaded = Load(folder);
  EXPECT_EQ(loaded.step, 5U);
  EXPECT_EQ(loaded.images, 160U);
  EXPECT_EQ(loaded.lineage, "a");
  EXPECT_EQ(loaded.state, SmallRequest(5).state);
  ASSERT_EQ(loaded.tensors.size(), 2U);
  EXPECT_EQ(loaded.tensors[0].shape, (std::vector<std::int64_t>{2, 3}));
  EXPECT_TRUE(std::ranges::equal(loaded.tensors[0].data, SmallRequest(5).tensors[0].data));
  EXPECT_THAT(FilesOf(root.path()), ElementsAre(folder));
}

TEST(Save, LargeStateIsSharedAmongTheRanksAndIsTheSame) {
  const testing::TemporaryFolder root;
  std::vector<float> first(10'000'000), second(8'000'000);  // 72 MB: two writers
  for (std::size_t i = 0; i < first.size(); ++i) first[i] = static_cast<float>(i);
  SaveRequest request = SmallRequest(1);
  request.tensors.push_back({"first", "F32", {10'000'000}, std::as_bytes(std::span(first))});
  request.tensors.push_back({"second", "F32", {8'000'000}, std::as_bytes(std::span(second))});
  OnRanks(4, [&](const RankGroup& ranks) { Save(root.path(), request, ranks); });
  EXPECT_THAT(FilesOf(root / "step-00000001"),
              ElementsAre(root / "step-00000001/manifest.json", root / "step-00000001/part-00000-of-00002.safetensors",
                          root / "step-00000001/part-00001-of-00002.safetensors"));
  const Checkpoint loaded = Load(root / "step-00000001");
  ASSERT_EQ(loaded.tensors.size(), 4U);
  for (const OwnedTensor& tensor : loaded.tensors) {
    if (tensor.name == "first") {
      EXPECT_TRUE(std::ranges::equal(tensor.data, std::as_bytes(std::span(first))));
    }
  }
}

TEST(Save, TensorIsSettledOnceBeforeItIsWritten) {
  const testing::TemporaryFolder root;
  std::vector<float> values = {3, 1, 2};
  int settled = 0;
  SaveRequest request = SmallRequest(1);
  request.tensors.push_back({"order", "F32", {3}, std::as_bytes(std::span(values)), [&] {
                               std::sort(values.begin(), values.end());
                               ++settled;
                             }});
  const Checkpoint loaded = Load(Save(root.path(), request, RankGroup{}).folder);
  EXPECT_EQ(settled, 1);
  const std::vector<float> sorted = {1, 2, 3};
  EXPECT_TRUE(std::ranges::equal(loaded.tensors.back().data, std::as_bytes(std::span(sorted))));
}

// The data is longer than a chunk of the writer, and its end is not aligned for a direct write.
TEST(Save, StateOfAnySizeComesBack) {
  const testing::TemporaryFolder root;
  std::uint64_t step = 0;
  for (const std::size_t size : {0UL, 1UL, 4096UL, (8UL << 20) - 1, 8UL << 20, (16UL << 20) + 4097}) {
    std::vector<std::byte> bytes(size);
    for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<std::byte>(i * 2654435761U >> 7);
    SaveRequest request = SmallRequest(++step);
    request.tensors = {{"all", "U8", {static_cast<std::int64_t>(size)}, bytes}};
    const Checkpoint loaded = Load(Save(root.path(), request, RankGroup{}).folder);
    EXPECT_EQ(loaded.tensors.at(0).data, bytes) << size;
  }
}

TEST(Save, WhatIsNotFiniteIsRefusedByName) {
  const testing::TemporaryFolder root;
  for (const float bad : {std::nanf(""), std::numeric_limits<float>::infinity()}) {
    const std::vector<float> values = {1, bad};
    SaveRequest request = SmallRequest(1);
    request.tensors.push_back({"g.bad", "F32", {2}, std::as_bytes(std::span(values))});
    EXPECT_THAT([&] { Save(root.path(), request, RankGroup{}); }, ThrowsMessage<DataError>(HasSubstr("g.bad")));
  }
  EXPECT_TRUE(fs::is_empty(root.path()));
}

TEST(Save, HalfPrecisionThatIsNotFiniteIsRefused) {
  const testing::TemporaryFolder root;
  for (const auto& [dtype, bits] :
       {std::pair("F16", std::uint16_t{0x7C00}), std::pair("BF16", std::uint16_t{0xFFC0})}) {
    const std::vector<std::uint16_t> values = {0, bits};
    SaveRequest request = SmallRequest(1);
    request.tensors.push_back({"half", dtype, {2}, std::as_bytes(std::span(values))});
    EXPECT_THROW(Save(root.path(), request, RankGroup{}), DataError) << dtype;
  }
}

TEST(Save, ErrorOfOneRankIsAnErrorOnEveryRankAndLeavesNothing) {
  const testing::TemporaryFolder root;
  std::atomic<int> failed = 0;
  OnRanks(3, [&](const RankGroup& ranks) {
    SaveRequest request = SmallRequest(1);
    const std::vector<float> bad = {std::nanf("")};
    if (ranks.rank == 1) request.tensors.push_back({"bad", "F32", {1}, std::as_bytes(std::span(bad))});
    try {
      Save(root.path(), request, ranks);
    } catch (const std::exception& error) {
      EXPECT_THAT(error.what(), HasSubstr(ranks.rank == 1 ? "tensor bad is not finite" : "rank 1"));
      ++failed;
    }
  });
  EXPECT_EQ(failed, 3);
  EXPECT_TRUE(fs::is_empty(root.path()));
}

TEST(Save, RanksThatHaveFallenApartSaveNothing) {
  const testing::TemporaryFolder root;
  for (const bool other_step : {true, false}) {
    std::atomic<int> told = 0;
    OnRanks(3, [&](const RankGroup& ranks) {
      SaveRequest request = SmallRequest(ranks.rank == 2 && other_step ? 2 : 1);
      if (ranks.rank == 2 && !other_step) request.lineage = "b";
      try {
        Save(root.path(), request, ranks);
      } catch (const RankError& error) {
        EXPECT_THAT(error.what(), HasSubstr("rank 2 is at step"));
        ++told;
      }
    });
    EXPECT_EQ(told, 3);
    EXPECT_TRUE(fs::is_empty(root.path()));
  }
}

TEST(Save, AStrayFileOrFolderInTheWayIsSetAside) {
  const testing::TemporaryFolder root;
  Overwrite(root / "step-00000001", "");
  fs::create_directory(root / "step-00000002");
  for (const std::uint64_t step : {1, 2}) WriteSmallCheckpoint(root.path(), step);
  EXPECT_THAT(FilesOf(root.path()), ElementsAre(root / "step-00000001", root / "step-00000001.stray",
                                                root / "step-00000002", root / "step-00000002.stray"));
  EXPECT_EQ(ListCheckpoints(root.path()).size(), 2U);
}

TEST(Save, SameStepTwiceKeepsTheFirst) {
  const testing::TemporaryFolder root;
  WriteSmallCheckpoint(root.path(), 1);
  const std::string before = storage::ReadFile(root / "step-00000001/manifest.json");
  EXPECT_THROW(WriteSmallCheckpoint(root.path(), 1), IoError);
  EXPECT_EQ(storage::ReadFile(root / "step-00000001/manifest.json"), before);
  EXPECT_THAT(FilesOf(root.path()), ElementsAre(root / "step-00000001"));
}

TEST(Save, MissingRootIsReported) {
  const testing::TemporaryFolder root;
  EXPECT_THROW(WriteSmallCheckpoint(root / "none", 1), IoError);
}

TEST(Prune, KeepsTheNewestAndNeverFewerThanTwo) {
  const testing::TemporaryFolder root;
  for (const std::uint64_t step : {1, 2, 3, 4, 100000000}) WriteSmallCheckpoint(root.path(), step);
  Prune(root.path(), {.last = 3});
  EXPECT_THAT(ListCheckpoints(root.path()),
              ElementsAre(root / "step-100000000", root / "step-00000004", root / "step-00000003"));
  Prune(root.path(), {.last = 0});
  EXPECT_THAT(FilesOf(root.path()), ElementsAre(root / "step-00000004", root / "step-100000000"));
}

TEST(Prune, KeepsEveryKthAndTheBestBesides) {
  const testing::TemporaryFolder root;
  for (const std::uint64_t step : {1, 2, 3, 4, 5, 6, 7}) WriteSmallCheckpoint(root.path(), step);
  Prune(root.path(), {.last = 2, .every = 3, .best = 1});
  EXPECT_THAT(FilesOf(root.path()), ElementsAre(root / "step-00000001", root / "step-00000003", root / "step-00000006",
                                                root / "step-00000007"));
}

TEST(Prune, KeepsWhatAnotherOneThatStaysNeeds) {
  const testing::TemporaryFolder root;
  for (const std::uint64_t step : {1, 2, 3, 4, 5, 6}) WriteSmallCheckpoint(root.path(), step);
  const std::map<fs::path, std::uint64_t> needs = {
      {root / "step-00000005", 3}, {root / "step-00000006", 6}, {root / "step-00000004", 2}};
  const auto needed_by = [&](const fs::path& folder) {
    const auto found = needs.find(folder);
    return found == needs.end() ? std::nullopt : std::optional(found->second);
  };
  Prune(root.path(), {.last = 2, .needed_by = needed_by});
  EXPECT_THAT(FilesOf(root.path()),
              ElementsAre(root / "step-00000003", root / "step-00000005", root / "step-00000006"));
}

// A long run keeps many older checkpoints, which would all be read at every save.
TEST(Prune, AsksNothingOfCheckpointsThatAreOlderThanWhatItRemoves) {
  const testing::TemporaryFolder root;
  for (const std::uint64_t step : {1, 2, 3, 4, 5, 6}) WriteSmallCheckpoint(root.path(), step);
  std::vector<fs::path> asked;
  const auto needed_by = [&](const fs::path& folder) -> std::optional<std::uint64_t> {
    asked.push_back(folder);
    return std::nullopt;
  };
  Prune(root.path(),
        {.last = 2, .best = 2, .needed_by = [](const fs::path&) { return std::optional<std::uint64_t>(4); }});
  Prune(root.path(), {.last = 2, .best = 2, .needed_by = needed_by});
  EXPECT_THAT(FilesOf(root.path()),
              ElementsAre(root / "step-00000002", root / "step-00000005", root / "step-00000006"));
  EXPECT_THAT(asked, ElementsAre(root / "step-00000006", root / "step-00000005"));
}

TEST(Prune, NeverThrowsAndSaysWhatStays) {
  const testing::TemporaryFolder root;
  const auto list_fails = Prune(root / std::string(300, 'x'), {.last = 2});
  ASSERT_EQ(list_fails.size(), 1U);
  EXPECT_THAT(list_fails[0], HasSubstr("File name too long"));
  EXPECT_TRUE(Prune(root / "none", {.last = 2}).empty());
}

TEST(Prune, ALeftoverWithTheNameIsNotInTheWay) {
  const testing::TemporaryFolder root;
  for (const std::uint64_t step : {1, 2, 3}) WriteSmallCheckpoint(root.path(), step);
  Overwrite(root / "step-00000001.deleted-0", "");
  EXPECT_TRUE(Prune(root.path(), {.last = 2}).empty());
  EXPECT_EQ(ListCheckpoints(root.path()).size(), 2U);
}

TEST(SetLaterAside, KeepsEveryBranchThatWasLeft) {
  const testing::TemporaryFolder root;
  for (const std::uint64_t step : {1, 2}) WriteSmallCheckpoint(root.path(), step);
  SetLaterAside(root.path(), 1);
  for (int i = 0; i < 2; ++i) {  // twice more from the same checkpoint
    WriteSmallCheckpoint(root.path(), 2);
    SetLaterAside(root.path(), 1);
  }
  EXPECT_THAT(FilesOf(root.path()),
              ElementsAre(root / "step-00000001", root / "step-00000002.abandoned-a",
                          root / "step-00000002.abandoned-a-1", root / "step-00000002.abandoned-a-2"));
}

TEST(SetLaterAside, TakesADamagedOneByANameThatIsSafe) {
  const testing::TemporaryFolder root;
  for (const std::uint64_t step : {1, 2}) WriteSmallCheckpoint(root.path(), step);
  std::ofstream(root / "step-00000002" / "manifest.json") << "{";
  SetLaterAside(root.path(), 1);
  EXPECT_THAT(FilesOf(root.path()), ElementsAre(root / "step-00000001", root / "step-00000002.abandoned-unknown"));
}

TEST(RemoveLeftovers, TakesKilledSavesOnly) {
  const testing::TemporaryFolder root;
  WriteSmallCheckpoint(root.path(), 1);
  fs::create_directory(root / "step-00000002.tmp-77");
  fs::create_directory(root / "step-00000000.deleted-0");
  fs::create_directory(root / "step-00000000.damaged");
  RemoveLeftovers(root.path());
  EXPECT_THAT(FilesOf(root.path()), ElementsAre(root / "step-00000000.damaged", root / "step-00000001"));
}

TEST(CheckpointFolderName, IsParsedBackAndNothingElseIs) {
  for (const std::uint64_t step : {std::uint64_t{0}, std::uint64_t{99999999}, ~std::uint64_t{0}}) {
    EXPECT_EQ(ParseCheckpointFolderName(CheckpointFolderName("", step).string()), step);
  }
  for (const char* name : {"step-1", "step-000000001", "step-00000001.tmp-1", "step-00000001.damaged", "step--0000001",
                           "step-99999999999999999999", "", "part-00000001"}) {
    EXPECT_EQ(ParseCheckpointFolderName(name), std::nullopt) << name;
  }
}

}  // namespace
}  // namespace gan::checkpoint
