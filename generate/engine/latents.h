// The latents of the pictures that are asked for: from seeds, from a file, or along a walk between them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace gan::generate {

struct Latents {
  std::size_t noise_dim = 0;
  std::vector<float> values;         // float [N, noise_dim]
  std::vector<std::uint64_t> seeds;  // one per latent; empty for latents from a file or between seeds
  // For a generator with classes (classes.h); empty before classes were chosen.
  std::vector<std::uint32_t> classes = {};  // one per latent; empty for latents between classes
  std::vector<float> embeddings = {};       // float [N, width], appended to the latents

  std::size_t count() const { return values.size() / noise_dim; }
};

// "1,5,10-20" -> 1 5 10 11 … 20. Throws UsageError: not a number, a range that goes down, more than a million seeds.
std::vector<std::uint64_t> ParseSeeds(const std::string& text);

// One latent per seed: standard normal, counter-based, the same on every machine.
Latents FromSeeds(const std::vector<std::uint64_t>& seeds, std::size_t noise_dim);

// The first `count` seeds: 0, 1, 2, ...
Latents FirstSeeds(std::size_t count, std::size_t noise_dim);

// The latents on which the running statistics of averaged weights are measured, as in training.
Latents ForStatistics(std::uint64_t seed, std::size_t count, std::size_t noise_dim);

// Throws DataError naming `file` and the first number that is not finite.
void RequireFinite(const Latents& latents, const std::filesystem::path& file);

// A .npy file (float32 or float64, C order) or a .safetensors file with one tensor; shape [N, noise_dim] or [N,
// noise_dim, 1, 1]; or a marked PNG, WebP or MP4 file (recipe.h). Throws DataError naming file and offset.
Latents FromFile(const std::filesystem::path& file, std::size_t noise_dim);

// Multiplies the latents by psi. With psi below 1 they are nearer to 0, the mean of all latents, around which training
// drew most of them.
void Truncate(Latents& latents, double psi);

// A closed walk through all of `stops`, with `steps` pictures from one to the next, on great circles (Shoemake's slerp,
// SIGGRAPH 1985): a straight line would pass through latents shorter than any in training. Embeddings of classes change
// on straight lines.
Latents Walk(const Latents& stops, std::size_t steps);

}  // namespace gan::generate
