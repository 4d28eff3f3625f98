#pragma once

#include "generate/engine/generator.h"
#include "generate/engine/latents.h"
#include "generate/engine/options.h"

namespace gan::generate {

// The latents that the options ask for, before a walk: from seeds, a file or expressions, truncated, as a sheet where
// one is asked for. Throws UsageError, DataError; warns of a file that another model's mark is in.
Latents ChooseLatents(const GenerateOptions& options, const Generator& generator);

// Writes the directions of largest change to options.directions, float [noise_dim, noise_dim]. Throws IoError.
void WriteDirections(const GenerateOptions& options, const Generator& generator);

}  // namespace gan::generate
