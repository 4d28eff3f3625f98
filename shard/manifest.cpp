#include "shard/manifest.h"

#include <algorithm>
#include <limits>
#include <stdexcept>

#include "shard/shard_format.h"
#include "storage/checksum.h"
#include "storage/errors.h"
#include "storage/files.h"
#include "storage/sealed_json.h"

namespace gan::shard {

namespace {

using nlohmann::json;

// Protects against reading a huge file into memory.
constexpr std::uint64_t kMaxManifestBytes = std::uint64_t{256} << 20;

// Reads a count and checks its range. nlohmann's own conversion would silently wrap a negative or too large number.
template <typename Number>
Number Count(const json& j, const char* key) {
  const json& value = j.at(key);
  if (!value.is_number_unsigned() || value.get<std::uint64_t>() > std::numeric_limits<Number>::max()) {
    throw std::out_of_range(std::string(key) + " is " + value.dump() +
                            ", which is not a non-negative integer in range");
  }
  return value.get<Number>();
}

std::vector<std::uint64_t> Counts(const json& list) {
  std::vector<std::uint64_t> counts;
  for (const json& count : list) {
    if (!list.is_array() || !count.is_number_unsigned()) throw std::out_of_range("label_counts holds what is no count");
    counts.push_back(count);
  }
  return counts;
}

json ToJson(const ShardEntry& entry) {
  return {{"number", entry.number}, {"records", entry.records}, {"bytes", entry.bytes}, {"digest", entry.digest}};
}

// The range of each count is that of its type.
ShardEntry EntryFromJson(const json& j) {
  return {.number = Count<std::uint32_t>(j, "number"),
          .records = Count<std::uint64_t>(j, "records"),
          .bytes = Count<std::uint64_t>(j, "bytes"),
          .digest = j.at("digest").get<std::string>()};
}

Manifest FromJson(const json& j) {
  Manifest m;
  m.format_version = Count<std::uint32_t>(j, "format_version");
  m.image_size = Count<std::uint32_t>(j, "image_size");
  m.images_per_shard = Count<std::uint32_t>(j, "images_per_shard");
  for (const json& entry : j.at("shards")) m.shards.push_back(EntryFromJson(entry));
  m.labels = j.at("labels").get<std::vector<std::string>>();
  // Folders of older versions have no label_counts.
  if (j.contains("label_counts")) m.label_counts = Counts(j.at("label_counts"));
  m.channel_mean = j.at("channel_mean").get<std::array<double, 3>>();
  m.channel_std = j.at("channel_std").get<std::array<double, 3>>();
  m.inputs = Count<std::uint64_t>(j, "inputs");
  m.accepted = Count<std::uint64_t>(j, "accepted");
  m.rejected = Count<std::uint64_t>(j, "rejected");
  m.options = j.at("options");
  m.libraries = j.at("libraries");
  m.dataset_digest = j.at("dataset_digest").get<std::string>();
  return m;
}

void RequireLabelCounts(const Manifest& m, const std::filesystem::path& file) {
  std::uint64_t left = m.accepted;
  bool fits = m.label_counts.size() == m.labels.size();
  for (const std::uint64_t count : m.label_counts) {
    fits = fits && count <= left;
    // Subtracted from the remaining number instead of added up, because a sum of hostile counts could wrap around to
    // `accepted`.
    left -= std::min(count, left);
  }
  if (!fits || left > 0) {
    throw DataError(file, "label_counts does not fit `labels` and `accepted`");
  }
}

// Checks the numbers against each other, because the digest only proves that the file is unchanged, not that it is
// right.
void RequireConsistent(const Manifest& m, const std::filesystem::path& file) {
  if (m.image_size == 0 || m.image_size > kMaxImageSize) throw DataError(file, "an impossible image_size");
  if (m.format_version == 0) throw DataError(file, "has the impossible format version 0");
  for (std::size_t i = 0; i < m.shards.size(); ++i) {
    // A list with a gap would silently train on a part of the data set.
    if (m.shards[i].number != i) throw DataError(file, "shard " + std::to_string(i) + " is missing from the list");
    if (m.shards[i].records > m.images_per_shard) {
      throw DataError(file, "shard " + std::to_string(i) + " has more records than images_per_shard");
    }
  }
  if (!m.label_counts.empty()) RequireLabelCounts(m, file);
  if (m.records() != m.accepted) throw DataError(file, "the shards' records do not add up to `accepted`");
  if (m.accepted > m.inputs || m.rejected != m.inputs - m.accepted) {
    throw DataError(file, "`accepted` and `rejected` do not add up to `inputs`");
  }
  if (DatasetDigest(m.shards) != m.dataset_digest)
    throw DataError(file, "dataset_digest does not match the digests of the shards");
}

}  // namespace

// Digests of digests: the order of the shards counts, their names do not.
std::string DatasetDigest(const std::vector<ShardEntry>& shards) {
  std::string all;
  for (const ShardEntry& entry : shards) all += entry.digest + "\n";
  return storage::DigestOf(std::as_bytes(std::span(all)));
}

std::uint64_t Manifest::records() const {
  std::uint64_t sum = 0;
  for (const ShardEntry& entry : shards) sum += entry.records;
  return sum;
}

Manifest DecodeManifest(const std::string& text, const std::filesystem::path& file) {
  const json j = storage::ParseJsonObject(text, file);
  try {
    // The version is checked before the digest, so that a newer format is reported as such and not as damage.
    const auto version = Count<std::uint32_t>(j, "format_version");
    if (version > kFormatVersion) {
      throw DataError(file, "has format version " + std::to_string(version) + "; this program reads up to " +
                                std::to_string(kFormatVersion));
    }
    storage::RequireSealed(text, j, file);
    Manifest manifest = FromJson(j);
    RequireConsistent(manifest, file);
    return manifest;
  } catch (const json::exception& error) {
    throw DataError(file, error.what());
  } catch (const std::out_of_range& error) {
    throw DataError(file, error.what());
  }
}

Manifest ReadManifest(const std::filesystem::path& folder) {
  const std::filesystem::path file = folder / kManifestName;
  if (!std::filesystem::is_directory(folder)) throw DataError(folder, "no such folder");
  if (!std::filesystem::exists(file)) {
    throw DataError(
        folder, "has no manifest.json, so it is not a finished data set; run gan-preprocess to create or complete it");
  }
  return DecodeManifest(storage::ReadFile(file, kMaxManifestBytes), file);
}

// Older readers ignore members that they do not know, so new ones may be added.
void WriteManifest(const std::filesystem::path& folder, const Manifest& m) {
  json shards = json::array();
  for (const ShardEntry& entry : m.shards) shards.push_back(ToJson(entry));
  const json j = {{"format_version", m.format_version},
                  {"image_size", m.image_size},
                  {"images_per_shard", m.images_per_shard},
                  {"shards", shards},
                  {"labels", m.labels},
                  {"label_counts", m.label_counts},
                  {"channel_mean", m.channel_mean},
                  {"channel_std", m.channel_std},
                  {"inputs", m.inputs},
                  {"accepted", m.accepted},
                  {"rejected", m.rejected},
                  {"options", m.options},
                  {"libraries", m.libraries},
                  {"dataset_digest", m.dataset_digest}};
  storage::WriteFileAtomically(folder / kManifestName, storage::SealJson(j));
}

}  // namespace gan::shard
