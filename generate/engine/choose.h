#pragma once

#include <cstdint>
#include <vector>

#include "generate/engine/generator.h"
#include "generate/engine/latents.h"
#include "generate/engine/options.h"

namespace gan::generate {

// What is asked for, before a walk: every latent with every class.
struct Chosen {
  Latents latents;                     // without classes
  std::vector<std::uint32_t> classes;  // of a conditional generator, else empty
};

// From seeds, a file or expressions, truncated, as a sheet where one is asked for. Throws UsageError, DataError; warns
// of a file that another model's mark is in.
Chosen Choose(const GenerateOptions& options, const Generator& generator);

// Writes the directions of largest change to options.directions, float [noise_dim, noise_dim]. Throws IoError.
void WriteDirections(const GenerateOptions& options, const Generator& generator);

}  // namespace gan::generate
