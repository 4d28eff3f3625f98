#include "generate/engine/choose.h"

#include <numeric>

#include "generate/engine/directions.h"
#include "generate/engine/latent_expression.h"
#include "generate/engine/npy.h"
#include "generate/engine/recipe.h"
#include "storage/errors.h"

namespace gan::generate {

namespace {

Latents FromSource(const GenerateOptions& options, const Generator& generator) {
  const std::size_t noise_dim = generator.noise_dim();
  if (!options.expressions.empty()) return FromExpressions(options.expressions, noise_dim);
  if (!options.seeds.empty()) return FromSeeds(ParseSeeds(options.seeds), noise_dim);
  if (!options.latents.empty()) {
    WarnOfAnotherModel(options.latents, generator);
    return FromFile(options.latents, noise_dim);
  }
  std::vector<std::uint64_t> seeds(options.count);
  std::iota(seeds.begin(), seeds.end(), options.seed);
  return FromSeeds(seeds, noise_dim);
}

Latents SheetOf(const GenerateOptions& options, const Latents& base, const Generator& generator) {
  if (base.count() != 1) {
    throw UsageError("--sheet: varies one latent, but " + std::to_string(base.count()) + " were given");
  }
  const bool own = !options.along.empty();
  const Latents directions = own ? FromFile(options.along, generator.noise_dim()) : PrincipalDirections(generator);
  if (options.sheet_rows > directions.count()) {
    throw UsageError("--sheet " + std::to_string(options.sheet_rows) + ": there are " +
                     std::to_string(directions.count()) + " directions");
  }
  return Sheet(base, directions, options.sheet_rows, options.columns, options.strength);
}

}  // namespace

Latents ChooseLatents(const GenerateOptions& options, const Generator& generator) {
  Latents latents = FromSource(options, generator);
  if (options.truncation != 1) Truncate(latents, options.truncation);
  return options.sheet_rows > 0 ? SheetOf(options, latents, generator) : latents;
}

void WriteDirections(const GenerateOptions& options, const Generator& generator) {
  const Latents directions = PrincipalDirections(generator);
  WriteNpy(options.directions, {directions.count(), directions.noise_dim}, directions.values);
}

}  // namespace gan::generate
