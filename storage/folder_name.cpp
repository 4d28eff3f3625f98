#include "storage/folder_name.h"

namespace gan::storage {

std::string NameOfFolder(const std::filesystem::path& folder) {
  // "." has no name of its own, hence absolute() first; "runs/1/." becomes "runs/1/", whose last name is empty.
  const std::filesystem::path whole = std::filesystem::absolute(folder).lexically_normal();
  return (whole.has_filename() ? whole : whole.parent_path()).filename().string();
}

}  // namespace gan::storage
