#pragma once

#include <torch/torch.h>

#include <cstdint>
#include <filesystem>

#include "trainer/data/loader.h"
#include "trainer/run/options.h"

namespace gan::run {

// float [N, 3, R, R] in [-1, 1] -> a PNG grid of N pictures, written atomically.
void WriteGrid(const std::filesystem::path& path, const torch::Tensor& images);

// Pictures that G makes of `latents` with its running statistics; G is left in training mode. No gradients.
torch::Tensor Generate(torch::nn::Sequential& generator, const torch::Tensor& latents);

// The same `count` latents in every run with this seed: what the grids over time show.
torch::Tensor FixedLatents(std::uint64_t seed, std::uint64_t count, std::int64_t noise_dim, torch::Device device);

// The first `count` pictures of the data set as training sees them.
torch::Tensor FirstReals(const data::Dataset& dataset, std::uint64_t count, std::int64_t resolution);

}  // namespace gan::run
