// Quality is measured beside training: its result takes effect in a fixed step, whatever happens until then, on every
// rank.
#include "trainer/run/quality_watch.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <limits>

#include "cli/log.h"
#include "shard/manifest.h"
#include "shard/shard_format.h"
#include "shard/shard_writer.h"
#include "storage/checksum.h"
#include "storage/errors.h"
#include "storage/files.h"
#include "tests/storage/temporary_folder.h"
#include "tests/trainer/distributed/mpi_world.h"
#include "trainer/run/agree.h"
#include "trainer/run/checkpoint_state.h"
#include "trainer/run/record_images.h"
#include "trainer/run/samples.h"

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

class MeasuringAside : public ::testing::Test {
 protected:
  MeasuringAside() {
    options_.gan.network = {.resolution = kSide, .features = 2, .noise_dim = 16};
    options_.quality_every = 5;
    options_.quality_images = 32;
    options_.run = folder_.path() / "run";
    run_.emplace(RunFolder::Open(options_, *communicator_));
    gan_.emplace(options_.gan, torch::kCPU, 1, communicator_);
  }
  ~MeasuringAside() override { communicator_->Barrier(); }

  std::unique_ptr<QualityWatch> Watch() {
    return std::make_unique<QualityWatch>(options_, dataset_, data::Classes(), *run_, torch::kCPU, communicator_,
                                          [this](Section section) { signs_.push_back(section); });
  }
  bool IsRankZero() const { return communicator_->rank() == 0; }
  // Makes the weights of another step.
  void Change() {
    torch::NoGradGuard no_grad;
    for (torch::Tensor& weight : gan_->generator->parameters()) weight.mul_(1.5);
    gan_->ema.Update(*gan_->generator, 1000, 1000);
  }

  const testing::TemporaryFolder folder_;
  TrainOptions options_;
  const std::shared_ptr<distributed::Communicator> communicator_ =
      distributed::Communicator::Create(distributed::TestWorld(), "evaluation");
  const std::shared_ptr<const data::Dataset> dataset_ = Noise(folder_.path(), 280, 0.5);
  std::optional<RunFolder> run_;
  std::optional<step::Gan> gan_;
  std::vector<Section> signs_;
};

TEST(Delay, IsOverBeforeTheNextMeasurement) {
  EXPECT_EQ(QualityWatch::Delay(1), 0U);
  for (std::uint64_t every = 2; every < 100; ++every) {
    EXPECT_GE(QualityWatch::Delay(every), 1U) << every;
    EXPECT_LT(QualityWatch::Delay(every), every);
  }
}

TEST_F(MeasuringAside, AResultTakesEffectInItsStepOnEveryRank) {
  const auto watch = Watch();
  EXPECT_FALSE(watch->Begin(*gan_, 4, 40));
  EXPECT_FALSE(watch->Take(4, false));
  EXPECT_TRUE(watch->Begin(*gan_, 5, 50));
  for (const std::uint64_t step : {6, 7}) {
    EXPECT_FALSE(watch->Take(step, false));
    EXPECT_FALSE(watch->Begin(*gan_, step, 10 * step));
  }
  EXPECT_TRUE(signs_.empty());
  EXPECT_FALSE(watch->best_step());
  const auto measured = watch->Take(8, false);
  ASSERT_TRUE(measured);
  EXPECT_EQ(measured->step, 5U);
  EXPECT_EQ(measured->images, 50U);
  EXPECT_EQ(watch->best_step(), 5U);
  EXPECT_FALSE(watch->pending());
  for (const char* name : {"copies", "copies_floor", "copies_told"}) {
    EXPECT_TRUE(std::ranges::count(measured->values, std::pair(std::string(name), 0.0))) << name;
  }
  EXPECT_TRUE(std::filesystem::exists(run_->Nearest(5)));
  for (const std::string& of_rank : communicator_->AllGather(Encode(*measured))) EXPECT_EQ(of_rank, Encode(*measured));
  ASSERT_FALSE(signs_.empty());
  EXPECT_EQ(signs_.front(), Section::kEvaluate);
  EXPECT_EQ(signs_.back(), Section::kStep);
}

TEST_F(MeasuringAside, TheLastStepLeavesNothingForLater) {
  const auto watch = Watch();
  EXPECT_TRUE(watch->Begin(*gan_, 5, 50));
  EXPECT_TRUE(watch->Take(6, true));
}

TEST_F(MeasuringAside, WhatTrainingDoesMeanwhileChangesNothing) {
  const auto undisturbed = Watch(), other = Watch();
  undisturbed->Begin(*gan_, 5, 50);
  const auto expected = undisturbed->Take(8, false);
  other->Begin(*gan_, 5, 50);
  Change();
  EXPECT_EQ(other->Take(8, false)->values, expected->values);
}

// As when a run resumes from a checkpoint between the two steps.
TEST_F(MeasuringAside, APendingMeasurementBeginsAgainFromTheCheckpointOfItsStep) {
  auto watch = Watch();
  Change();
  watch->Begin(*gan_, 5, 50);
  checkpoint::Checkpoint saved;
  saved.step = 5;
  const Snapshot snapshot(gan_->NamedState());
  for (const checkpoint::TensorView& view : snapshot.views()) {
    if (view.settle) view.settle();
    saved.tensors.push_back({view.name, view.dtype, view.shape, {view.data.begin(), view.data.end()}});
  }
  const nlohmann::json state = watch->Save();
  const auto expected = watch->Take(8, false);
  watch = Watch();
  watch->Restore(state, 70);
  ASSERT_TRUE(watch->pending());
  Change();
  if (IsRankZero()) watch->BeginAgain(saved, *gan_);
  EXPECT_FALSE(watch->Begin(*gan_, 10, 100)) << "one at a time";
  EXPECT_FALSE(watch->Take(7, false));
  const auto measured = watch->Take(8, false);
  EXPECT_EQ(measured->step, 5U);
  EXPECT_EQ(measured->images, 50U);
  EXPECT_EQ(measured->values, expected->values);
  EXPECT_FALSE(watch->Save().contains("pending"));
}

TEST_F(MeasuringAside, ARollbackDropsWhatIsPending) {
  const auto watch = Watch();
  const nlohmann::json before = watch->Save();
  watch->Begin(*gan_, 5, 50);
  watch->Restore(before, 0);
  EXPECT_FALSE(watch->pending());
  EXPECT_FALSE(watch->Take(8, false));
  EXPECT_TRUE(watch->Begin(*gan_, 5, 50));
  EXPECT_TRUE(watch->Take(8, false));
}

TEST_F(MeasuringAside, AnErrorIsReportedWhereTheResultIsDueAndByOneRank) {
  const auto path = shard::ShardFileName(folder_.path(), 0);
  std::string bytes = storage::ReadFile(path);
  communicator_->Barrier();
  for (std::size_t i = bytes.size() / 4; i < bytes.size(); i += 1000) ++bytes[i];
  std::ofstream(path, std::ios::in | std::ios::out | std::ios::binary) << bytes;
  const auto watch = Watch();
  EXPECT_TRUE(watch->Begin(*gan_, 5, 50));
  if (IsRankZero()) {
    EXPECT_THROW(watch->Take(8, false), DataError);
  } else {
    EXPECT_THROW(watch->Take(8, false), ReportedElsewhere);
  }
}

TEST(Measurement, EveryNumberArrivesAsItWas) {
  Measurement sent;
  sent.values = {{"swd", 0.1}, {"fid", std::numeric_limits<double>::infinity()}, {"kid", 1e-310}};
  sent.by_class = {{"coat", {{"swd", 0.3}}}};
  Measurement got = Decode(Encode(sent));
  EXPECT_EQ(got.values, sent.values);
  EXPECT_EQ(got.by_class, sent.by_class);
  sent.values = {{"copies", std::numeric_limits<double>::quiet_NaN()}};
  EXPECT_TRUE(std::isnan(Decode(Encode(sent)).values[0].second));
}

// Training images, or held-out ones, as a generator would make them.
CopyWatch::ByteSource SourceOf(const data::Dataset& dataset, bool held_out) {
  return [&dataset, held_out](std::int64_t first, std::int64_t count) {
    return ToBytes(ImagesOf(dataset, first, count, kSide, [&](std::uint64_t i) {
      return held_out ? dataset.HoldoutRecord(i % dataset.holdout_size()) : dataset.Record(i % dataset.size());
    }));
  };
}

CopyWatch::Values MeasuredAndTold(CopyWatch& watch, const CopyWatch::ByteSource& fakes, std::uint64_t step) {
  const auto found = watch.Measure(fakes, step, {});
  watch.Tell(found, step);
  return ValuesOf(found);
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
    EXPECT_EQ(of(MeasuredAndTold(watch, SourceOf(*dataset, true), 1), "copies_told"), 0);
    EXPECT_EQ(CountOf("by heart", run_.Log()), 0U);
    for (const std::uint64_t step : {2, 3}) {
      const Values told = MeasuredAndTold(watch, SourceOf(*dataset, false), step);
      EXPECT_EQ(of(told, "copies"), 1);
      EXPECT_EQ(of(told, "copies_floor"), 0);
      EXPECT_LT(of(told, "copies_p"), 1e-3);
      EXPECT_EQ(of(told, "copies_told"), 1);
      EXPECT_TRUE(std::filesystem::exists(run_.Nearest(step)));
    }
    EXPECT_EQ(CountOf("step 2: 100 % of 256 generated images are copies of training images", run_.Log()), 1U);
    EXPECT_EQ(CountOf("has learnt training images by heart", run_.Log()), 1U);
    EXPECT_EQ(of(MeasuredAndTold(watch, SourceOf(*dataset, true), 4), "copies_told"), 0);
    EXPECT_EQ(CountOf("no longer", run_.Log()), 1U);
  }
}

TEST_F(CopiesOfRun, TooFewImagesGiveNoNumbersAndNoGrid) {
  CopyWatch watch(Noise(folder_.path(), 5, 0), false, run_, [] {});
  for (const auto& [name, value] : MeasuredAndTold(watch, {}, 1)) EXPECT_TRUE(std::isnan(value)) << name;
  EXPECT_FALSE(std::filesystem::exists(run_.Nearest(1)));
}

TEST_F(CopiesOfRun, AGridThatCannotBeWrittenDoesNotEndTheRun) {
  if (communicator_->rank() == 0) {
    const auto dataset = Noise(folder_.path(), 60, 0.5);
    std::filesystem::create_directory(run_.Nearest(1));
    std::filesystem::create_directory(run_.Nearest(1) / "in the way");
    CopyWatch watch(dataset, false, run_, [] {});
    EXPECT_EQ(MeasuredAndTold(watch, SourceOf(*dataset, true), 1)[0].second, 0);
  }
}

}  // namespace
}  // namespace gan::run
