#include "trainer/quality/evaluator.h"

#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <stdexcept>

#include "storage/errors.h"
#include "tests/storage/temporary_folder.h"
#include "trainer/data/sampler.h"

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
  Evaluator evaluator({.count = kImages, .seed = 3, .inception = {}}, Pictures(1, 0), Pictures(3, 0), torch::kCPU);
  const Measured measured = evaluator.Measure(Pictures(2, noise));
  return {measured.values.begin(), measured.values.end()};
}

// A measurement may be stopped early, and a later one must then give the same numbers.
TEST(Evaluator, WhatWasBrokenOffIsDoneLater) {
  int batches = 0;
  const auto breaking = [&batches](std::int64_t first, std::int64_t count) {
    if (++batches == 2) throw std::runtime_error("broken off");
    return Pictures(3, 0)(first, count);
  };
  Evaluator evaluator({.count = kImages, .seed = 3, .inception = {}}, Pictures(1, 0), breaking, torch::kCPU);
  EXPECT_THROW(evaluator.Prepare(), std::runtime_error);
  const Measured measured = evaluator.Measure(Pictures(2, 0.3));
  EXPECT_EQ((std::map<std::string, double>(measured.values.begin(), measured.values.end())), MeasuredWith(0.3));
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

TEST(Features, AFileThatIsNoTorchScriptIsReported) {
  const testing::TemporaryFolder folder;
  const auto file = folder.path() / "not-torchscript.pt";
  std::ofstream(file) << "not a network";
  EXPECT_THROW(InceptionFeatures(file, torch::kCPU), DataError);
}

}  // namespace
}  // namespace gan::quality
