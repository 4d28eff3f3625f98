#pragma once

#include <torch/torch.h>

#include <cstdint>
#include <filesystem>
#include <optional>

#include "picture/mark.h"
#include "trainer/data/loader.h"
#include "trainer/run/options.h"
#include "trainer/step/train_step.h"

namespace gan::run {

// float [N, 3, R, R] in [-1, 1] -> a PNG grid of N images, written atomically. `mark`: the mark of generated images,
// embedded in the PNG.
void WriteGrid(const std::filesystem::path& path, const torch::Tensor& images,
               const std::optional<picture::Mark>& mark = {});

// The mark for images that `generator` makes of FixedLatents() after `step` steps. Its model digest equals the one that
// gan-generate computes for the checkpoint of that step.
picture::Mark MarkOf(torch::nn::Sequential& generator, std::uint64_t step, std::uint64_t seed);

// A copy of the generator for making images, in evaluation mode. With an average of the weights, it has the averaged
// weights and running statistics measured for them; otherwise the current weights and statistics.
torch::nn::Sequential GeneratorForPictures(const step::Gan& gan, std::uint64_t seed);

// Measures the running statistics of a generator with averaged weights on latents that depend only on the seed.
void FitStatistics(torch::nn::Sequential& generator, std::uint64_t seed, const torch::TensorOptions& home,
                   std::int64_t noise_dim);

// The images that G makes of `latents` with its running statistics. G is left in training mode. Computes no gradients.
torch::Tensor Generate(torch::nn::Sequential& generator, const torch::Tensor& latents);

// `count` latents that are the same in every run with this seed. The grids of a run show their images over time.
torch::Tensor FixedLatents(std::uint64_t seed, std::uint64_t count, std::int64_t noise_dim, torch::Device device);

// The first `count` images of the data set, as training sees them.
torch::Tensor FirstReals(const data::Dataset& dataset, std::uint64_t count, std::int64_t resolution);

}  // namespace gan::run
