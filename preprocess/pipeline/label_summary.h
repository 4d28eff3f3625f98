// Counts the records of each label, and writes notes about labels for the user.
#pragma once

#include <cstdint>
#include <filesystem>
#include <unordered_map>
#include <vector>

#include "preprocess/inputs/sources.h"
#include "preprocess/pipeline/duplicates.h"
#include "preprocess/pipeline/pipeline.h"
#include "preprocess/pipeline/plan.h"
#include "preprocess/pipeline/progress_folder.h"
#include "shard/manifest.h"

namespace gan::preprocess {

// The number of records per label in the whole data set: the new shards and those that existed before. Throws
// DataError.
std::vector<std::uint64_t> LabelCounts(const std::filesystem::path& folder, const Place& place,
                                       const std::vector<ShardResult>& results);

void AddLabelCounts(const shard::Manifest& manifest, Summary& summary);
// Notes labels that the data set did not have before.
void NoteNewLabels(const shard::Manifest& before, const shard::Manifest& now, Summary& summary);
// Notes equal pictures with different labels.
void NoteDuplicatesAcrossLabels(const SourceList& sources, const Duplicates& duplicates, Summary& summary);

}  // namespace gan::preprocess
