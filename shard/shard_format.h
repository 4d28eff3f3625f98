// The shard folder, which gan-preprocess writes and gan-train reads. docs/shard-format.md has the byte tables.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string_view>

namespace gan::shard {

inline constexpr std::array<char, 8> kMagic = {'G', 'A', 'N', 'S', 'H', 'A', 'R', 'D'};
inline constexpr std::uint32_t kFormatVersion = 1;
inline constexpr std::uint64_t kHeaderBytes = 4096;
inline constexpr std::uint32_t kDefaultImagesPerShard = 4096;
inline constexpr std::string_view kManifestName = "manifest.json";
inline constexpr std::string_view kQuarantineName = "quarantine.jsonl";
inline constexpr std::string_view kRecordListName = "records.jsonl";

// All numbers are little-endian. The header uses kHeaderUsedBytes; the last four of them are the CRC32C of the bytes
// before. The rest of its 4,096 bytes is zero.
struct Header {
  std::uint32_t number = 0;
  std::uint32_t image_size = 0;  // pixels per side
  std::uint64_t records = 0;
  std::uint64_t footer_offset = 0;  // == kHeaderBytes + records * RecordBytes(image_size)
  std::uint64_t footer_bytes = 0;   // index entries, then the names of the inputs; the file ends after them
  std::uint32_t footer_crc32c = 0;
};
inline constexpr std::size_t kHeaderUsedBytes = 56;

// One fixed-size index entry: crc32c u32, label u32, input u64, name offset u64 (within the names), name bytes u32,
// reserved u32 (zero).
inline constexpr std::size_t kIndexEntryBytes = 32;
inline constexpr std::uint32_t kMaxImageSize = 4096;  // pixels per side
inline constexpr std::uint32_t kMaxNameBytes = 1 << 16;

std::array<std::byte, kHeaderBytes> EncodeHeader(const Header& header);
// Throws DataError naming `file` and the offset on wrong magic, a newer version, a bad checksum or impossible numbers.
Header DecodeHeader(std::span<const std::byte> bytes, const std::filesystem::path& file);

// A record is size x size x 3 uint8, RGB, HWC, without padding.
constexpr std::uint64_t RecordBytes(std::uint32_t size) { return std::uint64_t{3} * size * size; }

// "shard-00042.gan" in `folder`. The parser returns the number, or nothing for any other name.
std::filesystem::path ShardFileName(const std::filesystem::path& folder, std::uint32_t number);
std::optional<std::uint32_t> ParseShardFileName(std::string_view name);

}  // namespace gan::shard
