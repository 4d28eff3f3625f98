#pragma once

#include <cstdint>
#include <vector>

#include "generate/engine/generator.h"
#include "generate/engine/latents.h"
#include "generate/engine/options.h"

namespace gan::generate {

// The latents and classes that the options ask for, before a walk: every latent with every class.
struct Chosen {
  Latents latents;                     // without classes
  std::vector<std::uint32_t> classes;  // of a conditional generator, else empty
};

// Takes latents from seeds, a file or expressions, truncates them, and spreads them as a sheet where one is asked for.
// Throws UsageError, DataError. Warns of a file with the mark of another model.
Chosen Choose(const GenerateOptions& options, const Generator& generator);

// Writes the directions of largest change to options.directions, float [noise_dim, noise_dim]. Throws IoError.
void WriteDirections(const GenerateOptions& options, const Generator& generator);

}  // namespace gan::generate
