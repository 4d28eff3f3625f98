#include "storage/folder_name.h"

namespace gan::storage {

std::string NameOfFolder(const std::filesystem::path& folder) {
  const std::filesystem::path whole = std::filesystem::absolute(folder).lexically_normal();
  return (whole.has_filename() ? whole : whole.parent_path()).filename().string();
}

}  // namespace gan::storage
