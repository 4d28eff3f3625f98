// records.jsonl: where each record is, its label and the input that it was made of, for programs that read tables.
#pragma once

#include <filesystem>

#include "shard/manifest.h"

namespace gan::preprocess {

// One JSON object per record, in order: shard, position, label, label_name, source. The shards must be there. Throws
// DataError and IoError.
void WriteRecordList(const std::filesystem::path& folder, const shard::Manifest& manifest);

}  // namespace gan::preprocess
