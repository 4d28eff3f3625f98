#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>

namespace gan::picture {

// uint8 [height, width, 3] as the bytes of a PNG file.
std::string EncodePng(std::span<const std::uint8_t> rgb, std::uint32_t width, std::uint32_t height);

// Writes uint8 [height, width, 3] as a PNG file, whole or not at all. Throws IoError.
void WritePng(const std::filesystem::path& path, std::span<const std::uint8_t> rgb, std::uint32_t width,
              std::uint32_t height);

}  // namespace gan::picture
