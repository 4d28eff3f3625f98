#pragma once

#include <filesystem>
#include <string>

namespace gan::storage {

// The last name of the folder's path, also of "runs/1/", "runs/1/." and ".", whose own last parts are not names.
std::string NameOfFolder(const std::filesystem::path& folder);

}  // namespace gan::storage
