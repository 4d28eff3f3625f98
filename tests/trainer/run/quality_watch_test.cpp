// Measuring quality shows that it lives, batch by batch, and decides the same on every rank.
#include "trainer/run/quality_watch.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>

#include "shard/manifest.h"
#include "shard/shard_format.h"
#include "shard/shard_writer.h"
#include "storage/checksum.h"
#include "storage/files.h"
#include "tests/storage/temporary_folder.h"
#include "tests/trainer/distributed/mpi_world.h"

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
  const auto world = distributed::TestWorld();
  const auto communicator = distributed::Communicator::Create(world, "evaluation");
  const auto dataset = Noise(folder.path(), 280, 0.5);  // 140 held out: batches of 32 on each rank
  std::vector<Section> signs;
  QualityWatch watch(options, dataset, torch::kCPU, communicator, [&](Section section) { signs.push_back(section); });
  const step::Gan gan(options.gan, torch::kCPU, 1, communicator);
  EXPECT_FALSE(watch.Measure(gan, 4, 40));
  EXPECT_TRUE(signs.empty());
  EXPECT_TRUE(watch.Measure(gan, 5, 50));
  const auto batches = 2 * ((140 / world.size + 31) / 32);  // of reals and of fakes
  EXPECT_GE(std::ranges::count(signs, Section::kEvaluate), batches);
  ASSERT_FALSE(signs.empty());
  EXPECT_EQ(signs.back(), Section::kStep);
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
