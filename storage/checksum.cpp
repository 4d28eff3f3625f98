#include "storage/checksum.h"

#include <nmmintrin.h>
#include <xxhash.h>

#include <array>
#include <cstdio>
#include <cstring>
#include <new>

namespace gan::storage {

namespace {

constexpr std::uint32_t kPolynomial = 0x82F63B78;  // Castagnoli, bits reflected

constexpr std::array<std::uint32_t, 256> MakeTable() {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t i = 0; i < 256; ++i) {
    std::uint32_t value = i;
    for (int bit = 0; bit < 8; ++bit) value = (value >> 1) ^ ((value & 1) != 0 ? kPolynomial : 0);
    table[i] = value;
  }
  return table;
}

std::uint32_t Portable(std::span<const std::byte> data, std::uint32_t crc) {
  static constexpr std::array<std::uint32_t, 256> kTable = MakeTable();
  for (const std::byte b : data) crc = (crc >> 8) ^ kTable[(crc ^ static_cast<std::uint32_t>(b)) & 0xFF];
  return crc;
}

__attribute__((target("sse4.2"))) std::uint32_t Hardware(std::span<const std::byte> data, std::uint32_t crc) {
  std::uint64_t wide = crc;
  std::size_t i = 0;
  for (; i + 8 <= data.size(); i += 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, data.data() + i, 8);
    wide = _mm_crc32_u64(wide, word);
  }
  crc = static_cast<std::uint32_t>(wide);
  for (; i < data.size(); ++i) crc = _mm_crc32_u8(crc, static_cast<std::uint8_t>(data[i]));
  return crc;
}

}  // namespace

std::uint32_t Crc32cPortable(std::span<const std::byte> data, std::uint32_t crc) { return ~Portable(data, ~crc); }

std::uint32_t Crc32c(std::span<const std::byte> data, std::uint32_t crc) {
  static const bool kHardware = __builtin_cpu_supports("sse4.2") != 0;
  return kHardware ? ~Hardware(data, ~crc) : Crc32cPortable(data, crc);
}

struct Digest::State {
  XXH3_state_t* xxh3 = XXH3_createState();
  State() {
    if (xxh3 == nullptr) throw std::bad_alloc();
    XXH3_128bits_reset(xxh3);
  }
  ~State() { XXH3_freeState(xxh3); }
  State(const State&) = delete;
  State& operator=(const State&) = delete;
};

Digest::Digest() : state_(std::make_unique<State>()) {}
Digest::~Digest() = default;
Digest::Digest(Digest&&) noexcept = default;
Digest& Digest::operator=(Digest&&) noexcept = default;

void Digest::Update(std::span<const std::byte> data) { XXH3_128bits_update(state_->xxh3, data.data(), data.size()); }

std::string Digest::Text() const {
  const XXH128_hash_t hash = XXH3_128bits_digest(state_->xxh3);
  char text[48];
  std::snprintf(text, sizeof text, "xxh3-128:%016llx%016llx", static_cast<unsigned long long>(hash.high64),
                static_cast<unsigned long long>(hash.low64));
  return text;
}

std::string DigestOf(std::span<const std::byte> data) {
  Digest digest;
  digest.Update(data);
  return digest.Text();
}

}  // namespace gan::storage
