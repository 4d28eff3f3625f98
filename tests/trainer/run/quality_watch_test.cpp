// Measuring quality shows that it lives, batch by batch, and decides the same on every rank.
#include "trainer/run/quality_watch.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "cli/log.h"
#include "shard/manifest.h"
#include "shard/shard_format.h"
#include "shard/shard_writer.h"
#include "storage/checksum.h"
#include "storage/files.h"
#include "tests/storage/temporary_folder.h"
#include "tests/trainer/distributed/mpi_world.h"
#include "trainer/run/record_images.h"

namespace gan::run {
namespace {

constexpr std::uint32_t kSide = 64;

std::shared_ptr<const data::Dataset> Noise(const std::filesystem::path& folder, std::size_t count, double holdout) {
  const auto path = shard::ShardFileName(folder, 0);
  shard::ShardWriter writer(path, 0, kSide);
  std::string picture(shard::RecordBytes(kSide), '\0');
  std::uint32_t state = 1;
  for (std::size_t i = 0; i < count; ++i) {
    for (char& byte : picture) byte = static_cast<char>((state = state * 1664525U + 1013904223U) >> 24);
    writer.Append(std::as_bytes(std::span(picture)), {.input = i, .source = "noise"});
  }
  writer.Commit();
  const std::string bytes = storage::ReadFile(path);
  shard::Manifest manifest;
  manifest.format_version = shard::kFormatVersion;
  manifest.image_size = kSide;
  manifest.shards = {{0, count, bytes.size(), storage::DigestOf(std::as_bytes(std::span(bytes)))}};
  manifest.inputs = manifest.accepted = count;
  manifest.images_per_shard = static_cast<std::uint32_t>(count);
  manifest.dataset_digest = shard::DatasetDigest(manifest.shards);
  shard::WriteManifest(folder, manifest);
  return std::make_shared<const data::Dataset>(folder, holdout);
}

TEST(QualityWatch, ShowsThatItLivesInEveryBatchAndGivesTheStepBack) {
  const testing::TemporaryFolder folder;
  TrainOptions options;
  options.gan.network = {.resolution = kSide, .features = 2, .noise_dim = 16};
  options.quality_every = 5;
  options.run = folder.path() / "run";
  const auto world = distributed::TestWorld();
  const auto communicator = distributed::Communicator::Create(world, "evaluation");
  const auto dataset = Noise(folder.path(), 280, 0.5);  // 140 held out: batches of 32 on each rank
  std::vector<Section> signs;
  const RunFolder run = RunFolder::Open(options, *communicator);
  QualityWatch watch(options, dataset, run, torch::kCPU, communicator,
                     [&](Section section) { signs.push_back(section); });
  const step::Gan gan(options.gan, torch::kCPU, 1, communicator);
  EXPECT_FALSE(watch.Measure(gan, 4, 40));
  EXPECT_TRUE(signs.empty());
  const auto measured = watch.Measure(gan, 5, 50);
  ASSERT_TRUE(measured);
  for (const char* name : {"copies", "copies_floor", "copies_told"}) {
    EXPECT_TRUE(std::ranges::count(measured->values, std::pair(std::string(name), 0.0))) << name;
  }
  EXPECT_TRUE(std::filesystem::exists(run.Nearest(5)));
  const auto batches = 2 * ((140 / world.size + 31) / 32);  // of reals and of fakes
  EXPECT_GE(std::ranges::count(signs, Section::kEvaluate), batches);
  ASSERT_FALSE(signs.empty());
  EXPECT_EQ(signs.back(), Section::kStep);
}

// Training images, or held-out ones, as a generator would make them.
quality::ImageSource SourceOf(const data::Dataset& dataset, bool held_out) {
  return [&dataset, held_out](std::int64_t first, std::int64_t count) {
    return ImagesOf(dataset, first, count, kSide, [&](std::uint64_t i) {
      return held_out ? dataset.HoldoutRecord(i % dataset.holdout_size()) : dataset.Record(i % dataset.size());
    });
  };
}

std::size_t CountOf(const std::string& words, const std::filesystem::path& file) {
  const std::string text = storage::ReadFile(file);
  std::size_t count = 0;
  for (std::size_t at = text.find(words); at != std::string::npos; at = text.find(words, at + 1)) ++count;
  return count;
}

// Opening a run folder is collective; looking for copies is not.
class CopiesOfRun : public ::testing::Test {
 protected:
  ~CopiesOfRun() override { communicator_->Barrier(); }

  static TrainOptions In(const std::filesystem::path& folder) {
    TrainOptions options;
    options.run = folder / "run";
    return options;
  }

  const testing::TemporaryFolder folder_;
  const std::shared_ptr<distributed::Communicator> communicator_ =
      distributed::Communicator::Create(distributed::TestWorld(), "control");
  const RunFolder run_ = RunFolder::Open(In(folder_.path()), *communicator_);
};

TEST_F(CopiesOfRun, AGeneratorThatHasLearntByHeartIsToldOnce) {
  if (communicator_->rank() == 0) {
    const auto dataset = Noise(folder_.path(), 100, 0.5);
    cli::OpenLog("test", run_.Log());
    CopyWatch watch(dataset, false, run_, [] {});
    using Values = CopyWatch::Values;
    const auto of = [](const Values& values, const std::string& name) {
      return std::ranges::find(values, name, &std::pair<std::string, double>::first)->second;
    };
    EXPECT_EQ(of(watch.Measure(SourceOf(*dataset, true), 1, {}), "copies_told"), 0);
    EXPECT_EQ(CountOf("by heart", run_.Log()), 0U);
    for (const std::uint64_t step : {2, 3}) {
      const Values told = watch.Measure(SourceOf(*dataset, false), step, {});
      EXPECT_EQ(of(told, "copies"), 1);
      EXPECT_EQ(of(told, "copies_floor"), 0);
      EXPECT_LT(of(told, "copies_p"), 1e-3);
      EXPECT_EQ(of(told, "copies_told"), 1);
      EXPECT_TRUE(std::filesystem::exists(run_.Nearest(step)));
    }
    EXPECT_EQ(CountOf("step 2: 100 % of 256 generated images are copies of training images", run_.Log()), 1U);
    EXPECT_EQ(CountOf("has learnt training images by heart", run_.Log()), 1U);
    EXPECT_EQ(of(watch.Measure(SourceOf(*dataset, true), 4, {}), "copies_told"), 0);
    EXPECT_EQ(CountOf("no longer", run_.Log()), 1U);
  }
}

TEST_F(CopiesOfRun, TooFewImagesGiveNoNumbersAndNoGrid) {
  CopyWatch watch(Noise(folder_.path(), 5, 0), false, run_, [] {});
  for (const auto& [name, value] : watch.Measure({}, 1, {})) EXPECT_TRUE(std::isnan(value)) << name;
  EXPECT_FALSE(std::filesystem::exists(run_.Nearest(1)));
}

TEST_F(CopiesOfRun, AGridThatCannotBeWrittenDoesNotEndTheRun) {
  if (communicator_->rank() == 0) {
    const auto dataset = Noise(folder_.path(), 60, 0.5);
    std::filesystem::create_directory(run_.Nearest(1));
    std::filesystem::create_directory(run_.Nearest(1) / "in the way");
    CopyWatch watch(dataset, false, run_, [] {});
    EXPECT_EQ(watch.Measure(SourceOf(*dataset, true), 1, {})[0].second, 0);
  }
}

TEST(QualityWatch, WhatRankZeroHasMeasuredCounts) {
  const auto communicator = distributed::Communicator::Create(distributed::TestWorld(), "evaluation");
  const int rank = communicator->rank();
  quality::Measured mine;
  mine.values = {{"swd", 0.1 + rank}, {"fid", rank == 0 ? std::numeric_limits<double>::infinity() : 3}};
  mine.diversity = 0.25 * (rank + 1);
  mine.diversity_reference = 0.7 + rank;
  const quality::Measured all = OfRankZero(mine, *communicator);
  EXPECT_EQ(all.values[0], std::pair(std::string("swd"), 0.1));
  EXPECT_EQ(all.values[1].second, std::numeric_limits<double>::infinity());
  EXPECT_EQ(all.diversity, 0.25);
  EXPECT_EQ(all.diversity_reference, 0.7);
}

}  // namespace
}  // namespace gan::run
