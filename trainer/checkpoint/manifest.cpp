#include "trainer/checkpoint/manifest.h"

#include <cstdio>

#include "storage/checksum.h"
#include "storage/errors.h"
#include "storage/files.h"

namespace gan::checkpoint {

namespace {

using nlohmann::json;

constexpr std::uint64_t kMaxManifestBytes = std::uint64_t{64} << 20;

// The manifest's own digest: over its JSON without that field, as dumped.
std::string DigestOfJson(json j) {
  j.erase("digest");
  const std::string text = j.dump();
  return storage::DigestOf(std::as_bytes(std::span(text)));
}

std::vector<Part> PartsFromJson(const json& j, const std::filesystem::path& file) {
  std::vector<Part> parts;
  for (const json& entry : j) {
    parts.push_back({.name = entry.at("name").get<std::string>(),
                     .bytes = entry.at("bytes").get<std::uint64_t>(),
                     .digest = entry.at("digest").get<std::string>()});
  }
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (parts[i].name != PartFileName(i, parts.size()))
      throw DataError(file, "names the strange part " + parts[i].name);
  }
  return parts;
}

Manifest FromJson(const json& j, const std::filesystem::path& file) {
  const auto version = j.at("format_version").get<std::uint32_t>();
  if (version > kFormatVersion) {
    throw DataError(file, "has checkpoint format version " + std::to_string(version) + "; this program reads up to " +
                              std::to_string(kFormatVersion));
  }
  if (j.at("digest").get<std::string>() != DigestOfJson(j)) throw DataError(file, "does not match its own digest");
  return {.step = j.at("step").get<std::uint64_t>(),
          .images = j.at("images").get<std::uint64_t>(),
          .lineage = j.at("lineage").get<std::string>(),
          .state = j.at("state"),
          .parts = PartsFromJson(j.at("parts"), file)};
}

}  // namespace

std::string PartFileName(std::size_t number, std::size_t count) {
  char name[64];
  std::snprintf(name, sizeof name, "part-%05zu-of-%05zu.safetensors", number, count);
  return name;
}

std::string EncodeManifest(const Manifest& manifest) {
  json parts = json::array();
  for (const Part& part : manifest.parts) {
    parts.push_back({{"name", part.name}, {"bytes", part.bytes}, {"digest", part.digest}});
  }
  json j = {{"format_version", kFormatVersion}, {"step", manifest.step},   {"images", manifest.images},
            {"lineage", manifest.lineage},      {"state", manifest.state}, {"parts", parts}};
  j["digest"] = DigestOfJson(j);
  return j.dump(2) + "\n";
}

Manifest ReadManifest(const std::filesystem::path& folder) {
  const std::filesystem::path file = folder / kManifestName;
  if (!std::filesystem::is_directory(folder)) throw DataError(folder, "no such checkpoint");
  if (!std::filesystem::exists(file)) throw DataError(folder, "holds no manifest.json, so it is no checkpoint");
  try {
    return FromJson(json::parse(storage::ReadFile(file, kMaxManifestBytes)), file);
  } catch (const json::parse_error& error) {
    throw DataError(file, error.byte, "is not JSON");
  } catch (const json::exception& error) {
    throw DataError(file, error.what());
  }
}

}  // namespace gan::checkpoint
