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

// The type of the file at `path`, without following a symbolic link; not_found when there is none. Throws IoError when
// the type cannot be determined.
std::filesystem::file_type TypeOf(const std::filesystem::path& path);

std::string PartFileName(std::size_t number, std::size_t count);

std::string EncodeManifest(const Manifest& manifest);
// Throws DataError when there is no manifest, when it is not JSON, when a byte or a field differs, or when a part has
// an unknown name. Throws NewerVersionError for a newer version.
Manifest ReadManifest(const std::filesystem::path& folder);
// Decodes the manifest from its text. Errors name `file`.
Manifest DecodeManifest(const std::string& text, const std::filesystem::path& file);

}  // namespace gan::checkpoint
