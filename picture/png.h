#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>

#include "picture/mark.h"

namespace gan::picture {

// uint8 [height, width, 3] as the bytes of a PNG file; with the mark of a generated picture if one is given.
std::string EncodePng(std::span<const std::uint8_t> rgb, std::uint32_t width, std::uint32_t height,
                      const std::optional<Mark>& mark = {});

// Writes uint8 [height, width, 3] as a PNG file. The file is complete or absent. Throws IoError.
void WritePng(const std::filesystem::path& path, std::span<const std::uint8_t> rgb, std::uint32_t width,
              std::uint32_t height, const std::optional<Mark>& mark = {});

// The XMP packet of a PNG file; empty when it has none. Throws DataError for damage; the checksums of all chunks are
// verified.
std::optional<std::string> XmpOfPng(std::span<const std::byte> file, const std::filesystem::path& path);

}  // namespace gan::picture
