// Manifests: JSON objects that contain a digest of themselves, so that a change of any byte is detected.
#pragma once

#include <filesystem>
#include <string>

#include <nlohmann/json.hpp>

namespace gan::storage {

// Adds the member "digest" (XXH3-128 of the compact dump of the object without it). The text has an indentation of two
// spaces and ends with a newline.
std::string SealJson(nlohmann::json object);

// Parses a JSON object. Throws DataError naming `file` and the offset when the text is anything else or exceeds the
// limits of storage/parse_json.h.
nlohmann::json ParseJsonObject(const std::string& text, const std::filesystem::path& file);

// Throws DataError unless `text` is byte for byte the output of SealJson for `object`, which ParseJsonObject has read
// from it. Separate from parsing, so that a newer version can be reported as such first.
void RequireSealed(const std::string& text, const nlohmann::json& object, const std::filesystem::path& file);

}  // namespace gan::storage
