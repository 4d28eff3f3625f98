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

// The facts about one finished shard besides its bytes. The quarantine is stored in its note only, because there may be
// more rejected inputs than memory.
struct ShardResult {
  shard::ShardEntry entry;
  std::vector<QuarantineEntry> quarantine;
  std::vector<std::uint64_t> left_to_try;  // inputs, by number in the list of sources
  ChannelSums sums;
  std::map<std::string, std::string> decoders;          // format -> name and version of its decoder
  std::map<std::uint32_t, std::uint64_t> label_counts;  // records by label; empty without labels
  std::uint64_t bytes_read = 0;
};

// `.progress/` inside an unfinished shard folder: the plan (options and inputs) and one note per finished shard.
// Removed when the manifest exists and no input is left to try.
class ProgressFolder {
 public:
  explicit ProgressFolder(const std::filesystem::path& output);

  // The plan that was begun here; null when there is none.
  nlohmann::json Plan() const;
  // Begins `plan`, or continues it if its inputs are the same (same_inputs.h). When it begins, it keeps the quarantine
  // and the manifest of the data set that it extends (empty: none). Throws UsageError when the folder was begun with
  // another plan.
  void Begin(const nlohmann::json& plan, const std::string& quarantine_before, const std::string& manifest_before);
  std::string QuarantineBefore() const;
  std::string ManifestBefore() const;

  // The note of a shard whose file exists and matches the note. Otherwise empty, and the shard must be made.
  std::optional<ShardResult> Finished(std::uint32_t number) const;
  void Note(const ShardResult& result);
  // The quarantine in the note of a finished shard. Throws DataError when the note is missing or damaged.
  std::vector<QuarantineEntry> QuarantineOf(std::uint32_t number) const;
  // The notes of finished shards with inputs that are left to try. Damaged notes count as having none.
  std::vector<ShardResult> LeftToTry() const;
  // Removes the note of a shard, so that it is made again.
  void Forget(std::uint32_t number);
  void Remove();  // removes the plan first, because other files without it are ignored

 private:
  std::filesystem::path NoteName(std::uint32_t number) const;

  std::filesystem::path output_;
  std::filesystem::path folder_;
};

nlohmann::json ToJson(const ShardResult& result);
ShardResult ShardResultFrom(const nlohmann::json& note);  // throws json::exception

// "a, b": the names of the members in which two plans differ.
std::string Differences(const nlohmann::json& one, const nlohmann::json& other);

// A path as JSON text: bytes that are not UTF-8 are replaced.
nlohmann::json PathText(const std::string& path);

}  // namespace gan::preprocess
