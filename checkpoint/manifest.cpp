#include "checkpoint/manifest.h"

#include <cstdio>

#include "storage/errors.h"
#include "storage/files.h"
#include "storage/sealed_json.h"

namespace gan::checkpoint {

namespace {

using nlohmann::json;
using std::filesystem::file_type;

// Protects against reading a huge file into memory.
constexpr std::uint64_t kMaxManifestBytes = std::uint64_t{64} << 20;

// nlohmann's own conversion would silently wrap a negative or too large number.
std::uint64_t Count(const json& j, const char* key, const std::filesystem::path& file) {
  const json& value = j.at(key);
  if (!value.is_number_unsigned())
    throw DataError(file, std::string(key) + " is " + value.dump() + ", not a non-negative integer");
  return value.get<std::uint64_t>();
}

// Part names are checked against their number, so that a manifest cannot refer to files outside of its folder.
std::vector<Part> PartsFromJson(const json& j, const std::filesystem::path& file) {
  std::vector<Part> parts;
  for (const json& entry : j) {
    parts.push_back({.name = entry.at("name").get<std::string>(),
                     .bytes = Count(entry, "bytes", file),
                     .digest = entry.at("digest").get<std::string>()});
  }
  if (parts.empty()) throw DataError(file, "names no parts");
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (parts[i].name != PartFileName(i, parts.size()))
      throw DataError(file, "lists the unexpected part " + parts[i].name);
  }
  return parts;
}

Manifest FromJson(const json& j, const std::filesystem::path& file) {
  return {.step = Count(j, "step", file),
          .images = Count(j, "images", file),
          .lineage = j.at("lineage").get<std::string>(),
          .state = j.at("state"),
          .parts = PartsFromJson(j.at("parts"), file)};
}

// Checked before the digest, so that a newer format is reported as such and not as damage.
void RequireKnownVersion(const json& j, const std::filesystem::path& file) {
  const std::uint64_t version = Count(j, "format_version", file);
  if (version == 0) throw DataError(file, "has the impossible format version 0");
  if (version <= kFormatVersion) return;
  throw NewerVersionError(file, "has checkpoint format version " + std::to_string(version) +
                                    "; this program reads up to " + std::to_string(kFormatVersion));
}

}  // namespace

// symlink_status reports a missing file as an error and as a type; only other errors are errors here.
std::filesystem::file_type TypeOf(const std::filesystem::path& path) {
  std::error_code error;
  const file_type type = std::filesystem::symlink_status(path, error).type();
  if (error && type != file_type::not_found) throw IoError(path, "stat", error.value());
  return type;
}

std::string PartFileName(std::size_t number, std::size_t count) {
  char name[64];
  std::snprintf(name, sizeof name, "part-%05zu-of-%05zu.safetensors", number, count);
  return name;
}

// The keys are sorted by the JSON library, so that equal manifests have equal bytes.
std::string EncodeManifest(const Manifest& manifest) {
  json parts = json::array();
  for (const Part& part : manifest.parts) {
    parts.push_back({{"name", part.name}, {"bytes", part.bytes}, {"digest", part.digest}});
  }
  return storage::SealJson({{"format_version", kFormatVersion},
                            {"step", manifest.step},
                            {"images", manifest.images},
                            {"lineage", manifest.lineage},
                            {"state", manifest.state},
                            {"parts", parts}});
}

// A missing or mistyped field raises a JSON exception, which does not know the file's name.
Manifest DecodeManifest(const std::string& text, const std::filesystem::path& file) {
  const json j = storage::ParseJsonObject(text, file);
  // The manifest of a data set has the same name, and users confuse the two folders.
  if (j.contains("shards")) throw DataError(file, "is the manifest of a shard folder, not of a checkpoint");
  try {
    RequireKnownVersion(j, file);
    storage::RequireSealed(text, j, file);
    return FromJson(j, file);
  } catch (const json::exception& error) {
    throw DataError(file, error.what());
  }
}

Manifest ReadManifest(const std::filesystem::path& folder) {
  const std::filesystem::path file = folder / kManifestName;
  // The "." makes a link to a folder count as that folder. Links inside of a checkpoint are refused.
  if (TypeOf(folder / ".") != file_type::directory) throw DataError(folder, "no such checkpoint folder");
  const file_type type = TypeOf(file);
  if (type == file_type::symlink)
    throw DataError(file, "is a symbolic link; a checkpoint must consist of regular files");
  if (type == file_type::not_found) throw DataError(folder, "has no manifest.json, so it is not a checkpoint");
  return DecodeManifest(storage::ReadFile(file, kMaxManifestBytes), file);
}

}  // namespace gan::checkpoint
