// Manifests: JSON objects that carry a digest of themselves, so that no byte of them can change unseen.
#pragma once

#include <filesystem>
#include <string>

#include <nlohmann/json.hpp>

namespace gan::storage {

// The object with the member "digest" (XXH3-128 of the object's compact dump without it), two spaces of indentation and
// a newline at the end.
std::string SealJson(nlohmann::json object);

// A JSON object. Throws DataError naming `file` and the offset when the text is anything else, or beyond the bounds of
// storage/parse_json.h.
nlohmann::json ParseJsonObject(const std::string& text, const std::filesystem::path& file);

// Throws DataError unless `text` is byte for byte what SealJson makes of `object`, which ParseJsonObject has read from
// it. Separate from parsing, so that a newer version can be refused by name first.
void RequireSealed(const std::string& text, const nlohmann::json& object, const std::filesystem::path& file);

}  // namespace gan::storage
