#include <cmath>
#include <filesystem>
#include <system_error>

#include "generate/project/project.h"
#include "storage/errors.h"

namespace gan::project {

void AddProjectFlags(CLI::App& app, ProjectOptions& options) {
  const std::string group = "Projecting photographs";
  ProjectionOptions& o = options.search;
  auto* project = app.add_option("--project", options.source,
                                 "Find the latent whose image is nearest to a photograph: a file, or a folder of them. "
                                 "--out is a folder, or FILE.png for one photograph.");
  project->type_name("PATH")->group(group);
  // These flags choose latents, which a projection has to find.
  for (const char* other :
       {"--count", "--seeds", "--latents", "--latent", "--interpolate", "--sheet", "--truncation", "--columns"}) {
    project->excludes(other);
  }
  app.add_option("--starts", o.starts, "Number of latents that the search starts from.")
      ->check(CLI::Range(1, 4096))
      ->group(group)
      ->needs(project)
      ->capture_default_str();
  app.add_option("--projection-steps", o.steps, "Number of steps of the search.")
      ->check(CLI::Range(1, 1'000'000))
      ->group(group)
      ->needs(project)
      ->capture_default_str();
  app.add_option("--feature-weight", o.feature_weight,
                 "Weight of the distance between the discriminator's features, beside that of the pixels. 0 leaves it "
                 "out.")
      ->check(CLI::Range(0.0, 1000.0))
      ->group(group)
      ->needs(project)
      ->capture_default_str();
}

void SettleProjectFlags(const CLI::App& app, generate::GenerateOptions& generate, ProjectOptions& options) {
  if (options.source.empty()) return;
  // --seed chooses the random latents with which the search begins.
  options.search.seed = generate.seed;
  if (!std::isfinite(options.search.feature_weight)) throw UsageError("--feature-weight: must be a finite number");
  if (app.count("--out") == 0) generate.out = "projected";
  std::error_code absent;  // a result that does not exist yet
  if (std::filesystem::equivalent(options.source, generate.out, absent)) {
    throw UsageError("--project: --out is " + generate.out.string() +
                     " itself; choose another place, so that no photograph is overwritten or mixed with results");
  }
  const generate::OutputKind kind = generate.kind();
  if (kind == generate::OutputKind::kFolder) return;
  if (kind != generate::OutputKind::kGrid || std::filesystem::is_directory(options.source)) {
    throw UsageError("--project: --out must be a folder, or FILE.png for one photograph");
  }
}

}  // namespace gan::project
