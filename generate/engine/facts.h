#pragma once

#include <filesystem>

#include <nlohmann/json.hpp>

namespace gan::generate {

// The facts about the training in a checkpoint or in the config.json of an exported folder: "step", "options" and
// others. Returns `facts` when every member that gan-generate reads has the right type. Throws DataError naming `file`.
nlohmann::json CheckedFacts(nlohmann::json facts, const std::filesystem::path& file);

}  // namespace gan::generate
