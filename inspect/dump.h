#pragma once

#include <cstdint>
#include <filesystem>

namespace gan::inspect {

// Writes the first `count` images of a shard or shard folder as one PNG grid with eight columns. Each record is
// verified first. Throws DataError when a record is damaged or when there are no images.
void DumpPictures(const std::filesystem::path& path, std::uint32_t count, const std::filesystem::path& out);

}  // namespace gan::inspect
