// Reads the averages of the blocks of a progressive JPEG (ITU-T T.81) from the scans that contain them.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "preprocess/decode/decode.h"
#include "preprocess/decode/jpeg_entropy.h"

namespace gan::preprocess::jpeg {

enum Marker : std::uint8_t {
  kSof1 = 0xC1,
  kSof2 = 0xC2,
  kDht = 0xC4,
  kRst0 = 0xD0,
  kRst7 = 0xD7,
  kSoi = 0xD8,
  kEoi = 0xD9,
  kSos = 0xDA,
  kDqt = 0xDB,
  kDri = 0xDD,
  kApp0 = 0xE0,
  kApp14 = 0xEE,
  kApp15 = 0xEF,
  kCom = 0xFE,
};

inline constexpr int kMostCategory = 11;  // largest category of the differences of averages of eight-bit samples
// Largest size of a block in the baseline JPEG that holds only the averages: 18 bits, and the zero bytes that JPEG
// inserts after bytes of 0xFF.
inline constexpr std::uint64_t kMostBytesOfBlock = 4;

// Averages of one component's blocks, [rows, columns], including blocks that only complete the last units of a scan.
struct Component {
  std::uint32_t id = 0, across = 1, down = 1;
  std::uint32_t columns = 0;                    // of the plane
  std::uint32_t own_columns = 0, own_rows = 0;  // blocks inside of the picture
  bool seen = false;                            // in any scan
  int missing_bits = 0;                         // bits that later scans refine
  std::vector<std::int16_t> averages;

  std::int16_t& At(std::uint32_t x, std::uint32_t y) { return averages[std::size_t{columns} * y + x]; }
};

// Calls visit(number of the component, average) for the blocks of unit (x, y) in a scan of these components.
template <typename Visit>
void VisitUnit(const std::vector<Component*>& components, std::uint32_t x, std::uint32_t y, const Visit& visit) {
  for (std::size_t i = 0; i < components.size(); ++i) {
    Component& c = *components[i];
    for (std::uint32_t row = y * c.down; row < (y + 1) * c.down; ++row) {
      for (std::uint32_t column = x * c.across; column < (x + 1) * c.across; ++column) visit(i, c.At(column, row));
    }
  }
}

// Reads one file, which must outlive the object. Not thread-safe.
class AveragesReader {
 public:
  AveragesReader(Bytes file, const DecodeOptions& options) : file_(file), options_(options) {}
  // Reads to the end of the file. Throws Odd when it is not a progressive JPEG or is unusual, Rejected(kTooLarge).
  void Read();

  // The segments that follow SOI in a baseline file of the same picture.
  const std::vector<std::uint8_t>& header() const { return header_; }
  std::vector<Component>& components() { return components_; }
  std::uint64_t blocks() const { return blocks_; }  // of all components
  std::uint32_t units_across() const { return units_across_; }
  std::uint32_t units_down() const { return units_down_; }

 private:
  // Reads one segment. Returns false at the end of the picture.
  bool ReadSegment();
  void Keep(Bytes segment) { header_.insert(header_.end(), segment.begin(), segment.end()); }
  void ReadFrame(Bytes whole, Bytes body);
  void ReadTables(Bytes body);
  void ReadScan(Bytes body);
  Component& Find(std::uint32_t id);
  static void Begin(Component& component, int before, int shift);
  void ReadBlocks(const std::vector<Component*>& components, const std::vector<const HuffmanTable*>& tables,
                  bool refine, int shift);
  // Entropy-coded data up to the next marker, RSTn included; afterwards at_ is at that marker.
  Bytes NextData();
  void SkipData();

  Bytes file_;
  const DecodeOptions& options_;
  std::size_t at_ = 0;
  std::uint32_t restart_interval_ = 0;
  std::uint32_t units_across_ = 0, units_down_ = 0;
  std::uint64_t blocks_ = 0;
  bool scanned_ = false;
  std::array<Bytes, 4> definitions_ = {};
  std::vector<Component> components_;
  std::vector<std::uint8_t> header_;
};

}  // namespace gan::preprocess::jpeg
