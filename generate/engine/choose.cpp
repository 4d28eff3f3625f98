#include "generate/engine/choose.h"

#include <numeric>

#include "generate/engine/classes.h"
#include "generate/engine/directions.h"
#include "generate/engine/latent_expression.h"
#include "generate/engine/npy.h"
#include "generate/engine/recipe.h"
#include "storage/counted.h"
#include "storage/errors.h"

namespace gan::generate {

namespace {

constexpr std::uint64_t kColumnsOfClasses = 8;

Latents FromSource(const GenerateOptions& options, const Generator& generator, std::uint64_t count) {
  const std::size_t noise_dim = generator.noise_dim();
  if (!options.expressions.empty()) return FromExpressions(options.expressions, noise_dim);
  if (!options.seeds.empty()) return FromSeeds(ParseSeeds(options.seeds), noise_dim);
  if (!options.latents.empty()) {
    WarnOfAnotherModel(options.latents, generator);
    return FromFile(options.latents, noise_dim);
  }
  std::vector<std::uint64_t> seeds(count);
  // Image i has its own seed, --seed + i, and not the i-th latent of one seed: any image can then be made alone.
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
                     storage::Counted(directions.count(), "direction"));
  }
  return Sheet(base, directions, options.sheet_rows, options.columns, options.strength);
}

}  // namespace

Chosen Choose(const GenerateOptions& options, const Generator& generator) {
  Chosen chosen;
  // An image that is made again from its mark gets the same class again. A generator without classes takes the latents
  // alone.
  const bool from_mark = options.classes.empty() && !options.latents.empty() && generator.classes.has_value();
  chosen.classes = ChooseClasses(from_mark ? ClassesOfMark(options.latents) : options.classes, generator);
  const bool several = chosen.classes.size() > 1;
  if (several && options.sheet_rows > 0) throw UsageError("--sheet: shows one class; choose it with --class");
  const std::uint64_t usual = options.interpolate > 0 ? 1 : kColumnsOfClasses;
  chosen.latents = FromSource(options, generator, several && !options.count_given ? usual : options.count);
  if (options.truncation != 1) Truncate(chosen.latents, options.truncation);
  if (options.sheet_rows > 0) chosen.latents = SheetOf(options, chosen.latents, generator);
  return chosen;
}

void WriteDirections(const GenerateOptions& options, const Generator& generator) {
  const Latents directions = PrincipalDirections(generator);
  WriteNpy(options.directions, {directions.count(), directions.noise_dim}, directions.values);
}

}  // namespace gan::generate
