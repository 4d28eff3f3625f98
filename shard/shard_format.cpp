#include "shard/shard_format.h"

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <string>

#include "shard/little_endian.h"
#include "storage/checksum.h"
#include "storage/errors.h"

namespace gan::shard {

namespace {

// Offsets within the header, as in the table in docs/shard-format.md.
constexpr std::size_t kVersionAt = 8;
constexpr std::size_t kNumberAt = 12;
constexpr std::size_t kImageSizeAt = 16;
constexpr std::size_t kHeaderSizeAt = 20;
constexpr std::size_t kRecordsAt = 24;
constexpr std::size_t kFooterOffsetAt = 32;
constexpr std::size_t kFooterBytesAt = 40;
constexpr std::size_t kFooterCrcAt = 48;
constexpr std::size_t kHeaderCrcAt = 52;
static_assert(kHeaderCrcAt + 4 == kHeaderUsedBytes);

// A nonzero padding means damage, or a writer that uses fields which this version would ignore.
void RequireZero(std::span<const std::byte> bytes, const std::filesystem::path& file) {
  const auto bad = std::find_if(bytes.begin(), bytes.end(), [](std::byte b) { return b != std::byte{0}; });
  if (bad == bytes.end()) return;
  throw DataError(file, kHeaderUsedBytes + static_cast<std::uint64_t>(bad - bytes.begin()),
                  "the header's padding is not zero");
}

}  // namespace

// The checksum comes last, because it covers all fields before it.
std::array<std::byte, kHeaderBytes> EncodeHeader(const Header& header) {
  std::array<std::byte, kHeaderBytes> bytes{};
  std::memcpy(bytes.data(), kMagic.data(), kMagic.size());
  Store(&bytes[kVersionAt], kFormatVersion);
  Store(&bytes[kNumberAt], header.number);
  Store(&bytes[kImageSizeAt], header.image_size);
  Store(&bytes[kHeaderSizeAt], static_cast<std::uint32_t>(kHeaderBytes));
  Store(&bytes[kRecordsAt], header.records);
  Store(&bytes[kFooterOffsetAt], header.footer_offset);
  Store(&bytes[kFooterBytesAt], header.footer_bytes);
  Store(&bytes[kFooterCrcAt], header.footer_crc32c);
  Store(&bytes[kHeaderCrcAt], storage::Crc32c(std::span(bytes).first(kHeaderCrcAt)));
  return bytes;
}

// Magic and version come first, so that a file of another kind or of a newer version is reported as such. The checksum
// comes before the other numbers, so that impossible numbers in an intact header are a writer's error.
Header DecodeHeader(std::span<const std::byte> bytes, const std::filesystem::path& file) {
  const auto magic = std::as_bytes(std::span(kMagic)).first(std::min(bytes.size(), kMagic.size()));
  if (!std::equal(magic.begin(), magic.end(), bytes.begin())) throw DataError(file, 0, "is not a shard");
  if (bytes.size() < kHeaderBytes) throw DataError(file, bytes.size(), "ends within its header");
  const auto version = Load<std::uint32_t>(&bytes[kVersionAt]);
  if (version > kFormatVersion) {
    throw DataError(file, kVersionAt,
                    "has shard format version " + std::to_string(version) + "; this program reads up to " +
                        std::to_string(kFormatVersion));
  }
  if (storage::Crc32c(bytes.first(kHeaderCrcAt)) != Load<std::uint32_t>(&bytes[kHeaderCrcAt])) {
    throw DataError(file, kHeaderCrcAt, "the header does not match its checksum");
  }
  RequireZero(bytes.subspan(kHeaderUsedBytes, kHeaderBytes - kHeaderUsedBytes), file);
  const Header header{.number = Load<std::uint32_t>(&bytes[kNumberAt]),
                      .image_size = Load<std::uint32_t>(&bytes[kImageSizeAt]),
                      .records = Load<std::uint64_t>(&bytes[kRecordsAt]),
                      .footer_offset = Load<std::uint64_t>(&bytes[kFooterOffsetAt]),
                      .footer_bytes = Load<std::uint64_t>(&bytes[kFooterBytesAt]),
                      .footer_crc32c = Load<std::uint32_t>(&bytes[kFooterCrcAt])};
  if (version != kFormatVersion || Load<std::uint32_t>(&bytes[kHeaderSizeAt]) != kHeaderBytes ||
      header.image_size == 0 || header.image_size > kMaxImageSize) {
    throw DataError(file, kVersionAt, "the header contains impossible numbers");
  }
  return header;
}

std::filesystem::path ShardFileName(const std::filesystem::path& folder, std::uint32_t number) {
  char name[32];
  std::snprintf(name, sizeof name, "shard-%05u.gan", number);
  return folder / name;
}

std::optional<std::uint32_t> ParseShardFileName(std::string_view name) {
  constexpr std::string_view kPrefix = "shard-";
  constexpr std::string_view kSuffix = ".gan";
  if (!name.starts_with(kPrefix) || !name.ends_with(kSuffix)) return std::nullopt;
  const std::string_view digits = name.substr(kPrefix.size(), name.size() - kPrefix.size() - kSuffix.size());
  std::uint32_t number = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (error != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
  // Only the spelling that ShardFileName produces counts, so that no two names mean the same shard.
  return ShardFileName("", number).string() == name ? std::optional(number) : std::nullopt;
}

}  // namespace gan::shard
