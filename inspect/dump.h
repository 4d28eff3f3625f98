#pragma once

#include <cstdint>
#include <filesystem>

namespace gan::inspect {

// Writes the first `count` pictures of a shard, or of a shard folder in order, as one PNG grid of eight columns. Each
// record is verified first. Throws DataError when one is damaged or when there is no picture at all.
void DumpPictures(const std::filesystem::path& path, std::uint32_t count, const std::filesystem::path& out);

}  // namespace gan::inspect
