// Decides what a run does with a shard folder: begin it, continue it, add to it, or nothing.
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

// Everything that determines the bytes of the folder, and nothing else. It becomes the manifest's `options`. The
// manifest's `appended` has the list of later inputs, each with inputs, inputs_digest, inputs_sample, dedupe and
// first_shard.
nlohmann::json PlanOf(const PreprocessOptions& options, const SourceList& sources);

// The place of the current inputs in the data set.
struct Place {
  nlohmann::json plan;
  std::optional<shard::Manifest> before;  // the existing data set that is extended
  std::uint32_t first_shard = 0;
  std::uint64_t first_input = 0;
  std::vector<std::string> labels;  // the existing labels, then new ones
};

// Throws UsageError when an older version made the plan. It had other rules for inputs and pixels, so its numbers of
// inputs cannot be continued.
void RequireSameRules(const PreprocessOptions& options, const nlohmann::json& begun);
// Whether these inputs are the newest ones in the folder with the plan `begun`.
bool IsLatest(const nlohmann::json& begun, const nlohmann::json& plan);
// The folder's manifest if it already contains these inputs and nothing is left to do. Throws UsageError when it is
// finished with other options, or with other inputs and without --append.
std::optional<shard::Manifest> FindComplete(const PreprocessOptions& options, const nlohmann::json& plan);
// On the rank that owns the folder, after FindComplete() found nothing: the plan to carry out.
nlohmann::json ExtendedPlan(const PreprocessOptions& options, const nlohmann::json& plan);
// On every rank, from the result of ExtendedPlan().
Place FindPlace(const PreprocessOptions& options, const nlohmann::json& plan, const SourceList& sources);

// A sentence for the user when the data set already contains inputs with the names and sizes of those that are added,
// and other contents; otherwise empty.
std::string RepeatedNamesNote(const Place& place);

}  // namespace gan::preprocess
