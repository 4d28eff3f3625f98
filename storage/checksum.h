// Checksums: CRC32C for records and headers, so that damage is located; XXH3-128 for whole files, so that files can be
// compared. Both detect accidental damage; neither protects against deliberate forgery.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

namespace gan::storage {

// CRC-32C (Castagnoli, RFC 3720 appendix B.4) of `data`, continued from `crc` (0 to begin).
std::uint32_t Crc32c(std::span<const std::byte> data, std::uint32_t crc = 0);

// The checksum computed without special instructions: for processors that lack them, and for the test that both agree.
std::uint32_t Crc32cPortable(std::span<const std::byte> data, std::uint32_t crc = 0);

// A running XXH3-128 digest. Not thread-safe.
class Digest {
 public:
  Digest();
  ~Digest();
  Digest(Digest&&) noexcept;
  Digest& operator=(Digest&&) noexcept;

  void Update(std::span<const std::byte> data);
  // "xxh3-128:" and 32 lower-case hexadecimal digits.
  std::string Text() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

std::string DigestOf(std::span<const std::byte> data);

}  // namespace gan::storage
