// --dedupe exact: the same picture is taken once.
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
#include "preprocess/pipeline/ranks.h"
#include "shard/manifest.h"
#include "shard/shard_reader.h"

namespace gan::preprocess {

// Input -> the first input with the same bytes.
using Duplicates = std::unordered_map<std::uint64_t, std::uint64_t>;

// By XXH3-128. Only files that share their size with another are read, or all where the size of a picture is not known
// before it is read, as in Parquet files. Collective: the ranks share the reading.
Duplicates FindDuplicates(const SourceList& sources, const Ranks& ranks);

// The records of a finished data set, to tell whether a new one is among them. Safe to share among threads.
class RecordIndex {
 public:
  RecordIndex(const std::filesystem::path& folder, const shard::Manifest& manifest);
  // The name of the record with these very bytes.
  std::optional<std::string> Find(std::span<const std::byte> record) const;

 private:
  std::deque<shard::ShardReader> shards_;
  std::unordered_multimap<std::uint32_t, std::pair<std::uint32_t, std::uint32_t>> places_;  // by CRC32C
};

}  // namespace gan::preprocess
