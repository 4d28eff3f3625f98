// How many records each label has, and what the user is told of labels.
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

// By label, of the data set that `place` makes of its new shards and what was there before. Throws DataError.
std::vector<std::uint64_t> LabelCounts(const std::filesystem::path& folder, const Place& place,
                                       const std::vector<ShardResult>& results);

void AddLabelCounts(const shard::Manifest& manifest, Summary& summary);
// The pictures that were added may have other classes than those that were there.
void NoteNewLabels(const shard::Manifest& before, const shard::Manifest& now, Summary& summary);
// Pictures that stand in two classes.
void NoteDuplicatesAcrossLabels(const SourceList& sources, const Duplicates& duplicates, Summary& summary);

}  // namespace gan::preprocess
