#include "generate/engine/latent_flags.h"

#include <cmath>

#include "storage/errors.h"

namespace gan::generate {

namespace {

constexpr std::size_t kSheetColumns = 7;
constexpr double kMostTruncation = 2;

void AddSheetFlags(CLI::App& app, GenerateOptions& o, const std::string& group) {
  auto* sheet = app.add_option("--sheet", o.sheet_rows,
                               "Write a sheet: ROWS rows, each of which varies the latent along one direction, the "
                               "direction of largest change first.");
  sheet->check(CLI::Range(1, 1000))->type_name("ROWS")->group(group);
  app.add_option("--along", o.along, "Directions of the sheet: a file as for --latents.")
      ->check(CLI::ExistingFile)
      ->type_name("FILE")
      ->group(group)
      ->needs(sheet);
  app.add_option("--strength", o.strength, "How far the sheet goes along each direction, to both sides.")
      ->check(CLI::Range(0.0, 1000.0))
      ->type_name("LENGTH")
      ->group(group)
      ->needs(sheet)
      ->capture_default_str();
  app.add_option(
         "--directions", o.directions,
         "File to write the directions of largest change to, as .npy: unit vectors, the principal components of "
         "the first layer.")
      ->type_name("FILE")
      ->group(group);
}

// CLI::Range lets NaN pass.
void RequireNumber(const std::string& flag, double value) {
  if (!std::isfinite(value)) throw UsageError(flag + ": must be a finite number");
}

void SettleSheet(const CLI::App& app, GenerateOptions& options) {
  const OutputKind kind = options.kind();
  if (options.interpolate > 0 || kind == OutputKind::kAnimation || kind == OutputKind::kMovie) {
    throw UsageError("--sheet: makes a grid, single images or an array, but no walk");
  }
  // The steps go from -strength to +strength, so there must be at least two.
  if (options.columns == 1) throw UsageError("--sheet: needs at least two --columns");
  if (options.columns == 0) options.columns = kSheetColumns;
  if (options.sheet_rows * options.columns > kMostImagesOfACall) {
    throw UsageError("--sheet " + std::to_string(options.sheet_rows) + ": with --columns " +
                     std::to_string(options.columns) + " it has more than a million images");
  }
  if (app.count("--count") == 0) options.count = 1;
}

}  // namespace

void AddLatentFlags(CLI::App& app, GenerateOptions& o) {
  const std::string group = "Changing latents";
  app.add_option(
         "--truncation", o.truncation,
         "Multiply each latent by PSI. Below 1 the images are more typical and less varied; 0 makes them all the "
         "same.")
      ->check(CLI::Range(0.0, kMostTruncation))
      ->type_name("PSI")
      ->group(group)
      ->capture_default_str();
  app.add_option("--latent", o.expressions,
                 "A latent by arithmetic, for example \"seed:1 - seed:2 + 0.5 * file.npy[3]\". Repeat it for several.")
      ->allow_extra_args(false)
      ->type_name("EXPRESSION")
      ->group(group)
      ->excludes("--seed")
      ->excludes("--seeds")
      ->excludes("--latents");
  AddSheetFlags(app, o, group);
}

void SettleLatentFlags(const CLI::App& app, GenerateOptions& options) {
  RequireNumber("--truncation", options.truncation);
  RequireNumber("--strength", options.strength);
  if (!options.directions.empty() && options.directions.extension() != ".npy") {
    throw UsageError("--directions " + options.directions.string() + ": must end in .npy");
  }
  if (app.count("--count") > 0 && !options.expressions.empty()) {
    throw UsageError("--count: not together with --latent, which sets the number of images");
  }
  if (options.sheet_rows > 0) SettleSheet(app, options);
}

}  // namespace gan::generate
