#pragma once

#include <string>
#include <vector>

#include "checkpoint/checkpoint.h"

namespace gan::checkpoint {

inline constexpr const char* kManifestName = "manifest.json";

struct Part {
  std::string name;  // part-00000-of-00002.safetensors
  std::uint64_t bytes = 0;
  std::string digest;
};

// manifest.json, the file whose presence makes a folder a checkpoint.
struct Manifest {
  std::uint64_t step = 0;
  std::uint64_t images = 0;
  std::string lineage;
  nlohmann::json state;
  std::vector<Part> parts;
};

// What lies there, not following a link; not_found when nothing does. Throws IoError where that cannot be told.
std::filesystem::file_type TypeOf(const std::filesystem::path& path);

std::string PartFileName(std::size_t number, std::size_t count);

std::string EncodeManifest(const Manifest& manifest);
// Throws DataError: no manifest, no JSON, a byte changed, a field missing, part names that are not ours; and
// NewerVersionError.
Manifest ReadManifest(const std::filesystem::path& folder);
// The same for its text; `file` is what errors name.
Manifest DecodeManifest(const std::string& text, const std::filesystem::path& file);

}  // namespace gan::checkpoint
