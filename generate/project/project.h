#pragma once

#include <filesystem>

#include <CLI/CLI.hpp>

#include "generate/engine/load.h"
#include "generate/engine/options.h"
#include "generate/project/projection.h"

namespace gan::project {

struct ProjectOptions {
  std::filesystem::path source;  // a photograph or a folder of them; empty: nothing to project
  ProjectionOptions search;
};

// Declares --project and what belongs to it; after the other flags of gan-generate.
void AddProjectFlags(CLI::App& app, ProjectOptions& options);
// Sets the defaults that depend on other flags. Throws UsageError.
void SettleProjectFlags(const CLI::App& app, generate::GenerateOptions& generate, ProjectOptions& options);

// Projects every photograph, with a progress bar, and writes what docs/generate.md says; files below a folder that are
// no photographs are reported and left out. Uses the caller's TBB arena. Throws DataError: the only photograph, or all
// of them, cannot be read; IoError.
void ProjectPhotographs(const generate::GenerateOptions& generate, const ProjectOptions& options,
                        const generate::TrainedGenerator& trained);

}  // namespace gan::project
