// Reads and writes chunks of WebP files with libwebpmux.
#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <span>
#include <string>

namespace gan::picture {

// The XMP packet of a WebP file; empty when it has none. Throws DataError when it is not a complete WebP file.
std::optional<std::string> XmpOfWebp(std::span<const std::byte> file, const std::filesystem::path& path);

}  // namespace gan::picture
