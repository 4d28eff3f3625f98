#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

namespace gan::shard {

struct ShardEntry {
  std::uint32_t number = 0;
  std::uint64_t records = 0;
  std::uint64_t bytes = 0;
  std::string digest;  // XXH3-128 of the whole file
};

// manifest.json: written last, so a folder without it is not a dataset.
struct Manifest {
  std::uint32_t format_version = 1;
  std::uint32_t image_size = 0;  // pixels per side
  std::uint32_t images_per_shard =
      0;                            // inputs per shard; a shard may have fewer records, because inputs can be rejected
  std::vector<ShardEntry> shards;   // ascending, without gaps (a shard may have 0 records)
  std::vector<std::string> labels;  // names by label index; empty when there are none
  std::vector<std::uint64_t> label_counts;  // records per label; empty in folders of older versions
  std::array<double, 3> channel_mean{};     // of all records, in [0, 255]
  std::array<double, 3> channel_std{};
  std::uint64_t inputs = 0, accepted = 0, rejected = 0;
  nlohmann::json options;      // every option that affects the output bytes
  nlohmann::json libraries;    // names and versions of the decoding libraries
  std::string dataset_digest;  // XXH3-128 over the shards' digests in order

  std::uint64_t records() const;
};

// XXH3-128 over the digests of all shards in order.
std::string DatasetDigest(const std::vector<ShardEntry>& shards);

// Throws DataError, naming the file and the offset of a JSON error, when something is missing, was changed, is out of
// range or has a newer version.
Manifest ReadManifest(const std::filesystem::path& folder);
// Decodes the manifest from its text. Errors name `file`.
Manifest DecodeManifest(const std::string& text, const std::filesystem::path& file);
void WriteManifest(const std::filesystem::path& folder, const Manifest& manifest);  // atomically

}  // namespace gan::shard
