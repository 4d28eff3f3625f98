// Entropy-coded data of JPEGs (ITU-T T.81): bits between markers, and the codes of DC coefficients.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace gan::preprocess::jpeg {

using Bytes = std::span<const std::uint8_t>;

// Thrown for anything that a valid file does not contain.
struct Odd {};

inline void Require(bool holds) {
  if (!holds) throw Odd();
}

// A DC table of T.81 annex C, indexed by the next 16 bits: length << 8 | category; 0 where no code matches.
class HuffmanTable {
 public:
  HuffmanTable() = default;
  HuffmanTable(Bytes counts, Bytes categories) : entries_(1U << 16) {
    std::size_t code = 0, symbol = 0;
    for (std::size_t length = 1; length <= 16; ++length) {
      for (int i = 0; i < counts[length - 1]; ++i, ++code, ++symbol) {
        Require(code < (1U << length));
        const std::size_t first = code << (16 - length);
        std::fill_n(&entries_[first], std::size_t{1} << (16 - length),
                    static_cast<std::uint16_t>(length << 8 | categories[symbol]));
      }
      code <<= 1;
    }
  }
  bool empty() const { return entries_.empty(); }
  std::uint32_t operator[](std::uint32_t bits) const { return entries_[bits]; }

 private:
  std::vector<std::uint16_t> entries_;
};

// The bits between two markers, without the zero byte that follows each 0xFF.
class BitReader {
 public:
  explicit BitReader(Bytes bytes) : next_(bytes.data()), end_(next_ + bytes.size()) {}

  // Returns 1 to 16 bits, zeros behind the last one.
  std::uint32_t Peek(int count) {
    if (have_ < count) Fill();
    return static_cast<std::uint32_t>(bits_ >> (64 - count));
  }
  void Drop(int count) {
    bits_ <<= count;
    have_ -= count;
    Require(have_ >= 0);
  }
  std::uint32_t Take(int count) {
    const std::uint32_t bits = Peek(count);
    Drop(count);
    return bits;
  }
  bool AtEnd() {
    Fill();
    return have_ < 8;
  }

 private:
  void Fill() {
    while (have_ <= 56 && next_ < end_) {
      const std::uint64_t byte = *next_;
      next_ += byte == 0xFF ? 2 : 1;
      bits_ |= byte << (56 - have_);
      have_ += 8;
    }
  }

  const std::uint8_t* next_;
  const std::uint8_t* end_;
  std::uint64_t bits_ = 0;
  int have_ = 0;
};

// T.81 F.2.2.1: the difference from the block before.
inline int TakeDifference(BitReader& bits, const HuffmanTable& table) {
  const std::uint32_t entry = table[bits.Peek(16)];
  Require(entry != 0);
  bits.Drop(static_cast<int>(entry >> 8));
  const int category = static_cast<int>(entry & 0xFF);
  if (category == 0) return 0;
  const int value = static_cast<int>(bits.Take(category));
  return value < 1 << (category - 1) ? value - (1 << category) + 1 : value;
}

// Appends bits, and the zero byte behind each 0xFF.
class BitWriter {
 public:
  explicit BitWriter(std::vector<std::byte>& out) : out_(out) {}
  void Put(std::uint32_t bits, int count) {
    bits_ = bits_ << count | bits;
    have_ += count;
    while (have_ >= 8) {
      have_ -= 8;
      const auto byte = static_cast<std::byte>(bits_ >> have_);
      out_.push_back(byte);
      if (byte == std::byte{0xFF}) out_.push_back(std::byte{0});
    }
  }
  void Finish() {
    if (have_ > 0) Put((1U << (8 - have_)) - 1, 8 - have_);
  }

 private:
  std::vector<std::byte>& out_;
  std::uint64_t bits_ = 0;
  int have_ = 0;
};

}  // namespace gan::preprocess::jpeg
