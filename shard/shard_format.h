// The shard folder: the one format that gan-preprocess writes and gan-train reads. Byte table: docs/shard-format.md.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string_view>

namespace gan::shard {

inline constexpr std::array<char, 8> kMagic = {'G', 'A', 'N', 'S', 'H', 'A', 'R', 'D'};
inline constexpr std::uint32_t kFormatVersion = 1;
inline constexpr std::uint64_t kHeaderBytes = 4096;
inline constexpr std::uint32_t kDefaultImagesPerShard = 4096;
inline constexpr std::string_view kManifestName = "manifest.json";
inline constexpr std::string_view kQuarantineName = "quarantine.jsonl";

// A record is size x size x 3 uint8, RGB, HWC, without padding.
constexpr std::uint64_t RecordBytes(std::uint32_t size) { return std::uint64_t{3} * size * size; }

// "shard-00042.gan" in `folder`; its parser gives the number back, or nothing for any other name.
std::filesystem::path ShardFileName(const std::filesystem::path& folder, std::uint32_t number);
std::optional<std::uint32_t> ParseShardFileName(std::string_view name);

}  // namespace gan::shard
