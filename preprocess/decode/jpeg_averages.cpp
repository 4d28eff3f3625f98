#include "preprocess/decode/jpeg_averages.h"

#include <array>
#include <bit>
#include <cstdint>
#include <cstdlib>
#include <utility>

#include "preprocess/decode/progressive_averages.h"

namespace gan::preprocess {

namespace {

using namespace jpeg;  // NOLINT(google-build-using-namespace): made for this file

constexpr std::uint64_t kMostTableBytes = 128;  // for everything but the blocks and the copied segments

// One DC table, in which the four-bit code of a category is the category itself, and one AC table with a single code of
// one bit: end of block. The DC table has fourteen codes, since T.81 does not allow a code of ones only.
constexpr int kCodeBits = 4;
constexpr int kMostWritten = kMostCategory + 2;  // for differences of two averages that were refined

template <typename... Values>
void Append(std::vector<std::byte>& out, Values... values) {
  const std::array bytes = {static_cast<std::byte>(values)...};
  out.insert(out.end(), bytes.begin(), bytes.end());
}

void AppendTables(std::vector<std::byte>& out) {
  Append(out, 0xFF, kDht, 0, 2 + 17 + kMostWritten + 1 + 17 + 1, /*DC 0*/ 0x00);
  for (int length = 1; length <= 16; ++length) Append(out, length == kCodeBits ? kMostWritten + 1 : 0);
  for (int category = 0; category <= kMostWritten; ++category) Append(out, category);
  Append(out, /*AC 0*/ 0x10, 1);
  for (int length = 2; length <= 16; ++length) Append(out, 0);
  Append(out, /*end of block*/ 0);
}

void AppendScan(std::vector<std::byte>& out, AveragesReader& read) {
  std::vector<Component*> components;
  for (Component& component : read.components()) components.push_back(&component);
  Append(out, 0xFF, kSos, 0, 6 + 2 * components.size(), components.size());
  for (const Component* component : components) Append(out, component->id, 0x00);
  // A sequential scan has all coefficients and no approximation.
  Append(out, 0, 63, 0);
  BitWriter bits(out);
  std::array<int, 4> previous = {};
  const auto put = [&](std::size_t i, std::int16_t average) {
    const int difference = average - std::exchange(previous[i], average);
    const int category = static_cast<int>(std::bit_width(static_cast<unsigned>(std::abs(difference))));
    // T.81 F.1.2.1: a negative difference is written as its distance from the smallest of its category.
    const int value = difference < 0 ? difference + (1 << category) - 1 : difference;
    // Writes the category, the value in as many bits, and the end of the block.
    bits.Put(static_cast<std::uint32_t>((category << category | value) << 1), kCodeBits + category + 1);
  };
  for (std::uint32_t y = 0; y < read.units_down(); ++y) {
    for (std::uint32_t x = 0; x < read.units_across(); ++x) VisitUnit(components, x, y, put);
  }
  bits.Finish();
}

}  // namespace

std::optional<std::vector<std::byte>> BaselineOfAverages(std::span<const std::byte> file,
                                                         const DecodeOptions& options) {
  try {
    AveragesReader read({reinterpret_cast<const std::uint8_t*>(file.data()), file.size()}, options);
    read.Read();
    std::vector<std::byte> out;
    out.reserve(read.header().size() + kMostTableBytes + kMostBytesOfBlock * read.blocks());
    Append(out, 0xFF, kSoi);
    for (const std::uint8_t byte : read.header()) out.push_back(static_cast<std::byte>(byte));
    AppendTables(out);
    AppendScan(out, read);
    Append(out, 0xFF, kEoi);
    return out;
  } catch (const Odd&) {
    return std::nullopt;
  }
}

}  // namespace gan::preprocess
