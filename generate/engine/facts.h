#pragma once

#include <filesystem>

#include <nlohmann/json.hpp>

namespace gan::generate {

// What a checkpoint or the config.json of an exported folder says of the training: "step", "options" and others.
// Returns `facts` when all that gan-generate reads of it has the right type. Throws DataError naming `file`.
nlohmann::json CheckedFacts(nlohmann::json facts, const std::filesystem::path& file);

}  // namespace gan::generate
