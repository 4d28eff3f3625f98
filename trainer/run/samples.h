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

// float [N, 3, R, R] in [-1, 1] -> a PNG grid of N pictures, written atomically, with the mark of generated ones.
void WriteGrid(const std::filesystem::path& path, const torch::Tensor& images,
               const std::optional<picture::Mark>& mark = {});

// The mark of what `generator` made of FixedLatents() after `step` steps, with the model digest that gan-generate gives
// for the checkpoint of that step.
picture::Mark MarkOf(torch::nn::Sequential& generator, std::uint64_t step, std::uint64_t seed);

// A copy of the generator to make pictures with: its averaged weights with running statistics measured for them when an
// average is kept, else its weights and statistics as they are. In evaluation mode.
torch::nn::Sequential GeneratorForPictures(const step::Gan& gan, std::uint64_t seed);

// Measures the running statistics of a generator with averaged weights on latents that depend on the seed alone.
void FitStatistics(torch::nn::Sequential& generator, std::uint64_t seed, const torch::TensorOptions& home,
                   std::int64_t noise_dim);

// Pictures that G makes of `latents` with its running statistics; G is left in training mode. No gradients.
torch::Tensor Generate(torch::nn::Sequential& generator, const torch::Tensor& latents);

// The same `count` latents in every run with this seed: what the grids over time show.
torch::Tensor FixedLatents(std::uint64_t seed, std::uint64_t count, std::int64_t noise_dim, torch::Device device);

// The first `count` pictures of the data set as training sees them.
torch::Tensor FirstReals(const data::Dataset& dataset, std::uint64_t count, std::int64_t resolution);

}  // namespace gan::run
