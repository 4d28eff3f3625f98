// --dedupe exact: keeps each picture once.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <utility>

#include "preprocess/inputs/sources.h"
#include "preprocess/pipeline/progress_folder.h"
#include "preprocess/pipeline/ranks.h"
#include "shard/manifest.h"
#include "shard/shard_reader.h"

namespace gan::preprocess {

// Input -> the first input with the same bytes.
using Duplicates = std::unordered_map<std::uint64_t, std::uint64_t>;

// Compares XXH3-128 digests. Reads only files whose size occurs more than once, or all files if sizes are unknown
// before reading, as in Parquet files. Collective: the ranks share the reading.
Duplicates FindDuplicates(const SourceList& sources, const Ranks& ranks);

// Why a duplicate of input `first` is rejected.
std::string SameBytesAs(const SourceList& sources, std::uint64_t first);
// Whether the shard of the inputs [first, second) of `range` has rejected all duplicates among them. If one could not
// be read when the shard was made, it or a later one may be missing.
bool HasDuplicates(const ShardResult& shard, const Duplicates& duplicates, const SourceList& sources,
                   const std::pair<std::uint64_t, std::uint64_t>& range);

// The records of a finished data set, to find out whether a new record is among them. Safe to share among threads.
class RecordIndex {
 public:
  RecordIndex(const std::filesystem::path& folder, const shard::Manifest& manifest);
  // The name of the record with exactly these bytes.
  std::optional<std::string> Find(std::span<const std::byte> record) const;

 private:
  std::deque<shard::ShardReader> shards_;
  std::unordered_multimap<std::uint32_t, std::pair<std::uint32_t, std::uint32_t>> places_;  // by CRC32C
};

}  // namespace gan::preprocess
