// A shard of three pictures, 8 x 8 pixels, whose bytes are known: byte k of record i is (i * 50 + k) mod 256.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

#include "shard/manifest.h"

namespace gan::shard {

inline constexpr std::uint32_t kSmallSize = 8;
inline constexpr std::size_t kSmallRecords = 3;

std::vector<std::byte> SmallRecord(std::size_t i);
void WriteSmallShard(const std::filesystem::path& file, std::uint32_t number);

// Writes a folder of `shards` shards, each like the one of WriteSmallShard(), and their manifest. Returns what was
// written into the manifest.
Manifest WriteSmallFolder(const std::filesystem::path& folder, std::uint32_t shards);

std::vector<std::byte> BytesOf(const std::filesystem::path& file);
void Overwrite(const std::filesystem::path& file, const std::vector<std::byte>& bytes);

}  // namespace gan::shard
