#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "preprocess/pipeline/channel_sums.h"
#include "shard/manifest.h"

namespace gan::preprocess {

struct QuarantineEntry {
  std::string path;
  std::string reason;
  std::string detail;
  bool for_now = false;  // the same command tries it again
};

// What is known of one finished shard beside its bytes. The quarantine is kept in its note alone: there may be more
// rejected inputs than fit the memory.
struct ShardResult {
  shard::ShardEntry entry;
  std::vector<QuarantineEntry> quarantine;
  std::vector<std::uint64_t> left_to_try;  // inputs, by their numbers in the list of sources
  ChannelSums sums;
  std::map<std::string, std::string> decoders;          // format -> name and version of what decoded it
  std::map<std::uint32_t, std::uint64_t> label_counts;  // records by label; none where the data set has no labels
  std::uint64_t bytes_read = 0;
};

// `.progress/` inside an unfinished shard folder: the plan (options and inputs) and one note per finished shard.
// Removed when the manifest is there and no input is left to try.
class ProgressFolder {
 public:
  explicit ProgressFolder(const std::filesystem::path& output);

  // The plan that was begun here; null when there is none.
  nlohmann::json Plan() const;
  // Begins `plan`, keeping quarantine and manifest of the data set that it adds to (empty: none), or goes on with it.
  // Throws UsageError when the folder was begun with another plan.
  void Begin(const nlohmann::json& plan, const std::string& quarantine_before, const std::string& manifest_before);
  std::string QuarantineBefore() const;
  std::string ManifestBefore() const;

  // The note of a shard whose file is there, whole and as noted; else nothing, and the shard is to be made.
  std::optional<ShardResult> Finished(std::uint32_t number) const;
  void Note(const ShardResult& result);
  // Of a finished shard, by its note. Throws DataError when that is gone or damaged.
  std::vector<QuarantineEntry> QuarantineOf(std::uint32_t number) const;
  // The finished shards with inputs that are left to try, by their notes; damaged notes have none.
  std::vector<ShardResult> LeftToTry() const;
  // Lets a shard be made again.
  void Forget(std::uint32_t number);
  void Remove();  // the plan first: what is left without it counts for nothing

 private:
  std::filesystem::path NoteName(std::uint32_t number) const;

  std::filesystem::path output_;
  std::filesystem::path folder_;
};

nlohmann::json ToJson(const ShardResult& result);
ShardResult ShardResultFrom(const nlohmann::json& note);  // throws json::exception

// "a, b": the names under which two plans differ.
std::string Differences(const nlohmann::json& one, const nlohmann::json& other);

// A path as JSON text: bytes that are not UTF-8 are replaced.
nlohmann::json PathText(const std::string& path);

}  // namespace gan::preprocess
