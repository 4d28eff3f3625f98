// The end of a run: quarantine.jsonl and croissant.json, then manifest.json. From that moment the folder is a data set.
#pragma once

#include <string>
#include <vector>

#include "preprocess/pipeline.h"
#include "preprocess/plan.h"
#include "preprocess/progress_folder.h"

namespace gan::preprocess {

// `results`: every new shard, in order. Throws DataError when the data set would have no record at all.
shard::Manifest Publish(const PreprocessOptions& options, const Place& place, std::uint64_t inputs,
                        const std::vector<ShardResult>& results, const std::string& quarantine_before);

}  // namespace gan::preprocess
