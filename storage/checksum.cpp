#include "storage/checksum.h"

#include <nmmintrin.h>
#include <xxhash.h>
#ifdef EQUIPOISE_XXHASH_DISPATCHES
#include <xxh_x86dispatch.h>  // the same names, with the widest vectors of the processor
#endif

#include <array>
#include <cstdio>
#include <cstring>
#include <new>
#include <vector>

namespace gan::storage {

namespace {

constexpr std::uint32_t kPolynomial = 0x82F63B78;  // Castagnoli, bits reflected

// The usual table for one byte at a time.
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

// Advances a checksum by kLane zero bytes. The operation is linear in the checksum's bits, so four tables with one
// entry per byte value are enough. The method of Mark Adler's crc32c.c.
// A record of 128 × 128 pixels has 49,152 bytes, four times three lanes, so all of it takes the fast way.
constexpr std::size_t kLane = 4096;

struct ZeroLane {
  std::array<std::array<std::uint32_t, 256>, 4> table{};

  ZeroLane() {
    // The effect of each single bit; the entries of a byte are the XOR of its bits' effects.
    const std::vector<std::byte> zeros(kLane);
    std::array<std::uint32_t, 32> of_bit{};
    for (std::size_t bit = 0; bit < 32; ++bit) of_bit[bit] = Portable(zeros, std::uint32_t{1} << bit);
    for (std::size_t byte = 0; byte < 4; ++byte) {
      for (std::size_t value = 0; value < 256; ++value) {
        for (std::size_t bit = 0; bit < 8; ++bit) {
          if ((value >> bit & 1) != 0) table[byte][value] ^= of_bit[8 * byte + bit];
        }
      }
    }
  }

  std::uint32_t operator()(std::uint32_t crc) const {
    return table[0][crc & 0xFF] ^ table[1][crc >> 8 & 0xFF] ^ table[2][crc >> 16 & 0xFF] ^ table[3][crc >> 24];
  }
};

// memcpy, because the data need not be aligned.
std::uint64_t Word(const std::byte* at) {
  std::uint64_t word = 0;
  std::memcpy(&word, at, sizeof word);
  return word;
}

// Processes 3 * kLane bytes. The CRC instruction has a latency of three cycles and a throughput of one per cycle, so
// three independent lanes keep it busy.
__attribute__((target("sse4.2"))) std::uint32_t ThreeLanes(const std::byte* data, std::uint32_t crc) {
  static const ZeroLane kAfterLane;
  std::uint64_t first = crc, second = 0, third = 0;
  for (std::size_t i = 0; i < kLane; i += 8) {
    first = _mm_crc32_u64(first, Word(data + i));
    second = _mm_crc32_u64(second, Word(data + kLane + i));
    third = _mm_crc32_u64(third, Word(data + 2 * kLane + i));
  }
  // Combines the lanes: the checksum of a concatenation is the first checksum advanced over the second part, XOR the
  // second.
  const std::uint32_t two = kAfterLane(static_cast<std::uint32_t>(first)) ^ static_cast<std::uint32_t>(second);
  return kAfterLane(two) ^ static_cast<std::uint32_t>(third);
}

// Three lanes while there is enough data, then eight bytes at a time, then single bytes.
// The target attribute and not a compiler flag for the file: the programs are built for any x86-64 processor, and only
// these two functions may contain SSE 4.2. Crc32c() calls them after asking the processor.
__attribute__((target("sse4.2"))) std::uint32_t Hardware(std::span<const std::byte> data, std::uint32_t crc) {
  for (; data.size() >= 3 * kLane; data = data.subspan(3 * kLane)) crc = ThreeLanes(data.data(), crc);
  std::uint64_t wide = crc;
  std::size_t i = 0;
  for (; i + 8 <= data.size(); i += 8) {
    wide = _mm_crc32_u64(wide, Word(data.data() + i));
  }
  crc = static_cast<std::uint32_t>(wide);
  for (; i < data.size(); ++i) crc = _mm_crc32_u8(crc, static_cast<std::uint8_t>(data[i]));
  return crc;
}

}  // namespace

// The checksum begins and ends inverted (RFC 3720). Undoing the inversion of `crc` lets a caller continue an earlier
// checksum, and makes 0 the initial value.
std::uint32_t Crc32cPortable(std::span<const std::byte> data, std::uint32_t crc) { return ~Portable(data, ~crc); }

std::uint32_t Crc32c(std::span<const std::byte> data, std::uint32_t crc) {
  static const bool kHardware = __builtin_cpu_supports("sse4.2") != 0;
  return kHardware ? ~Hardware(data, ~crc) : Crc32cPortable(data, crc);
}

struct Digest::State {
  // The stable interface of xxHash does not define the state's type, so only the library can allocate one, with the
  // alignment that its vector instructions need.
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

// The prefix names the algorithm, so that it can change without ambiguity.
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
