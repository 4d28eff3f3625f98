#pragma once

#include <torch/nn/modules/container/sequential.h>

#include <cstdint>
#include <filesystem>
#include <optional>

#include "picture/mark.h"
#include "trainer/data/classes.h"
#include "trainer/data/loader.h"
#include "trainer/run/options.h"
#include "trainer/step/train_step.h"

namespace gan::run {

// Images with the number of columns of their grid. 0: as square as their number allows.
struct GridOfImages {
  torch::Tensor images;  // float [N, 3, R, R] in [-1, 1]
  std::uint32_t columns = 0;
};

// float [N, 3, R, R] in [-1, 1] -> uint8 [N, R, R, 3] on the CPU: whole numbers 0 to 255, rounded to the nearest.
torch::Tensor ToBytes(const torch::Tensor& images);

// Writes a PNG grid atomically. `mark`: the mark of generated images, embedded in the PNG.
void WriteGrid(const std::filesystem::path& path, const GridOfImages& grid,
               const std::optional<picture::Mark>& mark = {});

// The mark for images that `generator` makes from FixedLatents() after `step` steps. Its model digest equals the one
// that gan-generate computes for the checkpoint of that step.
picture::Mark MarkOf(torch::nn::Sequential& generator, std::uint64_t step, std::uint64_t seed);

// A copy of the generator for making images, in evaluation mode. With an average of the weights, it has the averaged
// weights and running statistics measured for them; otherwise the current weights and statistics.
torch::nn::Sequential GeneratorForPictures(const step::Gan& gan, std::uint64_t seed);

// The parts of GeneratorForPictures(), in the order of use. Makes a generator like that of `gan`, on its device, with
// arbitrary weights.
torch::nn::Sequential GeneratorLike(const step::Gan& gan);
// Gives it the averaged weights, or without an average the current weights and statistics. Cheap.
void CopyWeightsForPictures(const step::Gan& gan, torch::nn::Sequential& generator);
// Measures the running statistics of averaged weights. They depend on the seed alone, so every process measures the
// same. The generator is left in evaluation mode.
void FitStatistics(torch::nn::Sequential& generator, const data::Classes& classes, std::int64_t noise_dim,
                   std::uint64_t seed);

// The images that G makes from `latents` with its running statistics. G is left in training mode. Computes no
// gradients. classes: as in model/classes.h.
torch::Tensor Generate(torch::nn::Sequential& generator, const torch::Tensor& latents,
                       const torch::Tensor& classes = {});

// `count` latents that are the same in every run with this seed. The grids of a run show their images over time.
torch::Tensor FixedLatents(std::uint64_t seed, std::uint64_t count, std::int64_t noise_dim, torch::Device device);

// The grids of a run. Without classes they have kGridImages images. With classes they have one row per class, for the
// first kMostRows classes, and the latents are the same in every row.
inline constexpr std::uint64_t kGridImages = 64;
inline constexpr std::uint64_t kMostRows = 32;
GridOfImages FixedFakes(const step::Gan& gan, torch::nn::Sequential& generator, std::uint64_t seed);
// The first images of the data set, as training sees them, in the same form. Places without an image are black.
GridOfImages FirstReals(const data::Dataset& dataset, const data::Classes& classes, std::int64_t resolution);

}  // namespace gan::run
