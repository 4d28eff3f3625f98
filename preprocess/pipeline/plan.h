// What a run is going to do to a shard folder: begin it, go on with it, add to it, or nothing.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "preprocess/inputs/sources.h"
#include "preprocess/pipeline/options.h"
#include "preprocess/pipeline/progress_folder.h"
#include "shard/manifest.h"

namespace gan::preprocess {

// Everything that decides the bytes of the folder, and nothing else. It becomes the manifest's `options`; what --append
// added stands in its `appended`, a list of inputs, inputs_digest, dedupe and first_shard.
nlohmann::json PlanOf(const PreprocessOptions& options, const SourceList& sources);

// Where the inputs at hand go.
struct Place {
  nlohmann::json plan;
  std::optional<shard::Manifest> before;  // the data set that is added to
  std::uint32_t first_shard = 0;
  std::uint64_t first_input = 0;
  std::vector<std::string> labels;  // those of before, then new ones
};

// Throws UsageError when a plan is one of an older version, which took other files for inputs and made other pixels of
// some: its numbers of inputs cannot be gone on with.
void RequireSameRules(const PreprocessOptions& options, const nlohmann::json& begun);
// Whether these inputs are the latest that were given to a folder with the plan `begun`.
bool IsLatest(const nlohmann::json& begun, const nlohmann::json& plan);
// The folder's manifest, where it holds these inputs already and nothing is left to do. Throws UsageError when it is
// finished with other options, or with other inputs and this is no --append.
std::optional<shard::Manifest> FindComplete(const PreprocessOptions& options, const nlohmann::json& plan);
// On the rank that owns the folder: as FindComplete() found nothing, the plan to carry out.
nlohmann::json ExtendedPlan(const PreprocessOptions& options, const nlohmann::json& plan);
// On every rank, from what ExtendedPlan() gave.
Place FindPlace(const PreprocessOptions& options, const nlohmann::json& plan, const SourceList& sources);

}  // namespace gan::preprocess
