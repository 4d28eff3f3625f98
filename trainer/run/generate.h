#pragma once

#include <cstdint>
#include <filesystem>

namespace gan::run {

struct GenerateOptions {
  std::filesystem::path checkpoint;  // a checkpoint's folder, or a run's (its newest checkpoint)
  std::filesystem::path out = "grid.png";
  std::uint64_t count = 64;
  std::uint64_t seed = 0;
  int threads = 0;  // 0: all cores
};

// Writes a grid of pictures that a trained generator makes of random latents. Throws DataError, IoError.
void GenerateGrid(const GenerateOptions& options);

}  // namespace gan::run
