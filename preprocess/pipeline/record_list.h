// records.jsonl: place, label and input of each record, for programs that read tables.
#pragma once

#include <filesystem>

#include "shard/manifest.h"

namespace gan::preprocess {

// Writes one JSON object per record, in order: shard, position, label, label_name, source. The shards must exist.
// Throws DataError and IoError.
void WriteRecordList(const std::filesystem::path& folder, const shard::Manifest& manifest);

}  // namespace gan::preprocess
