// The chunks of WebP files, by libwebpmux.
#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <span>
#include <string>

namespace gan::picture {

// The XMP of a WebP file; nothing when it has none. Throws DataError when it is no whole WebP file.
std::optional<std::string> XmpOfWebp(std::span<const std::byte> file, const std::filesystem::path& path);

}  // namespace gan::picture
