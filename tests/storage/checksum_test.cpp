#include "storage/checksum.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace gan::storage {
namespace {

std::vector<std::byte> Pattern(std::size_t size) {
  std::vector<std::byte> bytes(size);
  std::uint32_t state = 12345;
  for (std::byte& b : bytes) {
    state = state * 1664525 + 1013904223;
    b = static_cast<std::byte>(state >> 24);
  }
  return bytes;
}

std::span<const std::byte> Bytes(const std::string& text) { return std::as_bytes(std::span(text)); }

TEST(Crc32c, AgreesWithTheVectorsOfRfc3720) {
  EXPECT_EQ(Crc32c(std::vector<std::byte>(32, std::byte{0})), 0x8A9136AAU);
  EXPECT_EQ(Crc32c(std::vector<std::byte>(32, std::byte{0xFF})), 0x62A8AB43U);
  EXPECT_EQ(Crc32c(Bytes("123456789")), 0xE3069283U);
  EXPECT_EQ(Crc32c({}), 0U);
}

TEST(Crc32c, HardwareAndTableAgreeAtEveryLengthAndAlignment) {
  const std::vector<std::byte> bytes = Pattern(128);
  for (std::size_t begin = 0; begin < 16; ++begin) {
    for (std::size_t size = 0; begin + size <= bytes.size(); ++size) {
      const auto part = std::span(bytes).subspan(begin, size);
      ASSERT_EQ(Crc32c(part), Crc32cPortable(part)) << begin << " " << size;
    }
  }
}

TEST(Crc32c, HardwareAndTableAgreeWhereLanesBeginAndEnd) {
  std::vector<std::byte> bytes(50'000);
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::byte>(i * i * 31 >> 3);
  for (const std::size_t size : {4096U, 12287U, 12288U, 12289U, 12296U, 24575U, 24576U, 36870U, 49152U, 49999U}) {
    const auto part = std::span(bytes).subspan(1, size);
    EXPECT_EQ(Crc32c(part, 17), Crc32cPortable(part, 17)) << size;
  }
}

TEST(Crc32c, ContinuesWhereItStopped) {
  const std::vector<std::byte> bytes = Pattern(1000);
  const auto all = std::span<const std::byte>(bytes);
  for (const std::size_t cut : {std::size_t{0}, std::size_t{1}, std::size_t{511}, std::size_t{1000}}) {
    EXPECT_EQ(Crc32c(all.subspan(cut), Crc32c(all.first(cut))), Crc32c(all));
  }
}

TEST(Crc32c, SeesEverySingleBit) {
  std::vector<std::byte> bytes = Pattern(64);
  const std::uint32_t whole = Crc32c(bytes);
  for (std::size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    bytes[bit / 8] ^= static_cast<std::byte>(1U << (bit % 8));
    ASSERT_NE(Crc32c(bytes), whole) << bit;
    bytes[bit / 8] ^= static_cast<std::byte>(1U << (bit % 8));
  }
}

// From the xxHash specification's reference implementation: XXH3_128bits of nothing.
TEST(Digest, OfNothingIsTheKnownOne) { EXPECT_EQ(DigestOf({}), "xxh3-128:99aa06d3014798d86001c324468d497f"); }

TEST(Digest, IsTheSameInPieces) {
  const std::vector<std::byte> bytes = Pattern(5000);
  Digest digest;
  for (std::size_t i = 0; i < bytes.size(); i += 700) {
    digest.Update(std::span(bytes).subspan(i, std::min<std::size_t>(700, bytes.size() - i)));
  }
  EXPECT_EQ(digest.Text(), DigestOf(bytes));
}

}  // namespace
}  // namespace gan::storage
