#include "trainer/quality/evaluator.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>

#include "storage/errors.h"
#include "tests/trainer/distributed/mpi_world.h"
#include "trainer/data/sampler.h"
#include "trainer/quality/gather.h"

namespace gan::quality {
namespace {

constexpr std::int64_t kImages = 48;

// Smooth pictures, each a function of its number, with `noise` of white noise in them.
ImageSource Pictures(std::uint64_t seed, double noise) {
  return [=](std::int64_t first, std::int64_t count) {
    std::vector<torch::Tensor> images;
    for (std::int64_t i = first; i < first + count; ++i) {
      torch::Tensor coarse = torch::empty({1, 3, 4, 4}), fine = torch::empty({1, 3, 64, 64});
      const auto number = static_cast<std::uint64_t>(i);
      data::FillNormal(coarse.data_ptr<float>(), 48, seed, data::Stream::kFixedLatents, number, 0);
      data::FillNormal(fine.data_ptr<float>(), 3 * 64 * 64, seed, data::Stream::kFixedLatents, number, 1);
      const torch::Tensor smooth = torch::upsample_bilinear2d(coarse, {64, 64}, /*align_corners=*/false);
      images.push_back(torch::tanh(smooth * (1 - noise) + fine * noise));
    }
    return torch::cat(images);
  };
}

std::map<std::string, double> MeasuredWith(double noise) {
  const auto communicator = distributed::Communicator::Create(distributed::TestWorld(), "control");
  Evaluator evaluator({.count = kImages, .seed = 3, .inception = {}}, Pictures(1, 0), Pictures(3, 0), torch::kCPU,
                      communicator);
  const Measured measured = evaluator.Measure(Pictures(2, noise));
  return {measured.values.begin(), measured.values.end()};
}

// That two ranks measure what one measures is held in tests/peers/quality_test.py; here, that they share the work.
TEST(Evaluator, RowsOfAllRanksAreThoseOfOne) {
  const distributed::World& world = distributed::TestWorld();
  const auto communicator = distributed::Communicator::Create(world, "control");
  const RandomFeatures features{torch::kCPU};
  const torch::Tensor images = Pictures(2, 0.3)(0, kImages);
  const Share share = ShareOfRank(kImages, world.rank, world.size);
  const torch::Tensor mine = features(images.narrow(0, share.first, share.count));
  EXPECT_LE((features(images) - GatherRows(mine, share, kImages, *communicator)).abs().max().item<double>(), 1e-6);
}

TEST(Evaluator, EveryRankHasTheSameNumbers) {
  const auto communicator = distributed::Communicator::Create(distributed::TestWorld(), "control");
  std::string numbers;
  for (const auto& [name, value] : MeasuredWith(0.3)) numbers += name + " " + std::to_string(value) + "\n";
  for (const std::string& of_rank : communicator->AllGather(numbers)) EXPECT_EQ(of_rank, numbers);
}

TEST(Evaluator, OrdersNoiseBelowEarlyBelowLate) {
  const auto noise = MeasuredWith(1.0), early = MeasuredWith(0.4), late = MeasuredWith(0.05);
  for (const char* name : {"swd", "frechet", "kernel"}) {
    EXPECT_GT(noise.at(name), early.at(name)) << name;
    EXPECT_GT(early.at(name), late.at(name)) << name;
    EXPECT_TRUE(IsBetter(name, late.at(name), early.at(name)));
  }
  for (const char* name : {"density", "coverage"}) {
    EXPECT_LE(noise.at(name), early.at(name)) << name;
    EXPECT_LT(early.at(name), late.at(name)) << name;
  }
}

TEST(Evaluator, SharesCoverTheSetInPairs) {
  for (const std::int64_t total : {2, 12, 50}) {
    for (const int ranks : {1, 2, 3, 5}) {
      std::int64_t next = 0;
      for (int rank = 0; rank < ranks; ++rank) {
        const Share share = ShareOfRank(total, rank, ranks);
        EXPECT_EQ(share.first, next);
        EXPECT_EQ(share.count % 2, 0);
        next += share.count;
      }
      EXPECT_EQ(next, total);
    }
  }
}

TEST(Features, AFileThatIsNoTorchScriptIsReported) {
  const auto file = std::filesystem::temp_directory_path() /
                    ("not-torchscript-" + std::to_string(distributed::TestWorld().rank) + ".pt");
  std::ofstream(file) << "not a network";
  EXPECT_THROW(InceptionFeatures(file, torch::kCPU), DataError);
  std::filesystem::remove(file);
}

}  // namespace
}  // namespace gan::quality
