// The end of a run: quarantine.jsonl and croissant.json, then manifest.json. With the manifest the folder becomes a
// data set.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "preprocess/pipeline/options.h"
#include "preprocess/pipeline/plan.h"
#include "preprocess/pipeline/progress_folder.h"

namespace gan::preprocess {

// `results`: every new shard, in order. Returns the number of rejected inputs by reason.
std::map<std::string, std::uint64_t> WriteQuarantine(const std::filesystem::path& output,
                                                     const std::vector<ShardResult>& results,
                                                     const ProgressFolder& progress);

// Call it after the quarantine was written. Throws DataError when the data set would have no record at all.
shard::Manifest Publish(const PreprocessOptions& options, const Place& place, std::uint64_t inputs,
                        const std::vector<ShardResult>& results);

}  // namespace gan::preprocess
