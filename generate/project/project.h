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

// Declares --project and the flags that need it; after the other flags of gan-generate.
void AddProjectFlags(CLI::App& app, ProjectOptions& options);
// Sets the defaults that depend on other flags. Throws UsageError.
void SettleProjectFlags(const CLI::App& app, generate::GenerateOptions& generate, ProjectOptions& options);

// Projects every photograph, with a progress bar, and writes the files that docs/generate.md lists. Files in a folder
// that cannot be read as photographs are reported and left out. Uses the caller's TBB arena. Throws DataError when no
// photograph could be read; IoError.
void ProjectPhotographs(const generate::GenerateOptions& generate, const ProjectOptions& options,
                        const generate::TrainedGenerator& trained);

}  // namespace gan::project
