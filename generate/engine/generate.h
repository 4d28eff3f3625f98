#pragma once

#include <cstdint>
#include <vector>

#include "generate/engine/engine.h"
#include "generate/engine/latents.h"
#include "generate/engine/load.h"
#include "generate/engine/options.h"

namespace gan::generate {

// Calls Load, and measures the running statistics when the weights are averaged ones. Uses the caller's TBB arena.
TrainedGenerator LoadReady(const std::filesystem::path& path, Weights weights);

// Converts pictures, float [N, 3, side, side] in [-1, 1], to uint8 [N, side, side, 3], rounding to the nearest of 256
// levels.
std::vector<std::uint8_t> ToRgb(std::span<const float> pictures, std::size_t side);

// uint8 [N, side, side, 3]: the pictures that a model card shows.
std::vector<std::uint8_t> SamplePictures(Engine& engine, const Latents& latents);

// Writes the pictures that the options ask for (nothing when they name no --out), with a progress bar. The pictures
// depend on weights and latents alone, bit for bit, not on --batch and --threads. Throws DataError, UsageError,
// IoError.
void WritePictures(const GenerateOptions& options, const TrainedGenerator& trained);

}  // namespace gan::generate
