// Anything unusual throws Odd, and then libjpeg-turbo decodes the file. So this reader may give up too often, but it
// must not guess.
#include "preprocess/decode/progressive_averages.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>

namespace gan::preprocess::jpeg {

namespace {

constexpr int kMostAverage = 1 << 11;
constexpr int kMostShift = 4;  // low bits of an average that later scans may add; encoders use one or two
constexpr std::uint32_t kMostBlocksOfUnit = 10;

std::uint32_t Big16(Bytes bytes, std::size_t at) {
  Require(at + 2 <= bytes.size());
  return static_cast<std::uint32_t>(bytes[at] << 8 | bytes[at + 1]);
}

std::uint32_t RoundedUp(std::uint32_t a, std::uint32_t b) { return (a + b - 1) / b; }

}  // namespace

void AveragesReader::Read() {
  Require(file_.size() > 4 && file_[0] == 0xFF && file_[1] == kSoi);
  at_ = 2;
  while (ReadSegment()) {
  }
  Require(!components_.empty());
  // Missing bits of a component mean that the file ends early. The normal decoder then reports what is wrong.
  for (const Component& component : components_) Require(component.seen && component.missing_bits == 0);
}

bool AveragesReader::ReadSegment() {
  Require(at_ + 2 <= file_.size() && file_[at_] == 0xFF);
  while (at_ + 2 < file_.size() && file_[at_ + 1] == 0xFF) ++at_;  // fill bytes
  const std::uint8_t marker = file_[at_ + 1];
  if (marker == kEoi) return false;
  const std::uint32_t length = Big16(file_, at_ + 2);
  Require(length >= 2 && at_ + 2 + length <= file_.size());
  const Bytes whole = file_.subspan(at_, 2 + length);
  const Bytes body = whole.subspan(4);
  at_ += whole.size();
  switch (marker) {
    case kSof2:
      ReadFrame(whole, body);
      break;
    case kDht:
      ReadTables(body);
      break;
    case kSos:
      ReadScan(body);
      break;
    case kDri:
      restart_interval_ = Big16(body, 0);
      break;
    case kDqt:
      Require(!scanned_);  // a later table would apply to some components only
      Keep(whole);
      break;
    case kApp0:
    case kApp14:  // decides about the colours
      Keep(whole);
      break;
    default:
      Require(marker == kCom || (marker > kApp0 && marker <= kApp15));
  }
  return true;
}

void AveragesReader::ReadFrame(Bytes whole, Bytes body) {
  Require(components_.empty() && body.size() >= 6 && body[0] == 8);
  const std::uint32_t height = Big16(body, 1), width = Big16(body, 3), count = body[5];
  Require(height > 0 && count >= 1 && count <= 4 && body.size() == 6 + 3 * count);
  RequireSize(width, height, options_);
  std::uint32_t most_across = 1, most_down = 1, blocks = 0;
  for (std::uint32_t i = 0; i < count; ++i) {
    Component component;
    component.id = body[6 + 3 * i];
    component.across = body[7 + 3 * i] >> 4;
    component.down = body[7 + 3 * i] & 15;
    Require(component.across >= 1 && component.across <= 4 && component.down >= 1 && component.down <= 4);
    if (count == 1) component.across = component.down = 1;  // a unit of a scan of one component is one block
    for (const Component& other : components_) Require(other.id != component.id);
    most_across = std::max(most_across, component.across);
    most_down = std::max(most_down, component.down);
    blocks += component.across * component.down;
    components_.push_back(component);
  }
  // T.81 B.2.3.
  Require(blocks <= kMostBlocksOfUnit);
  units_across_ = RoundedUp(width, 8 * most_across);
  units_down_ = RoundedUp(height, 8 * most_down);
  blocks_ = std::uint64_t{units_across_} * units_down_ * blocks;
  if (options_.room != nullptr) {
    // Memory for the averages, and for the baseline file that is made from them.
    options_.room->ReserveMore((sizeof(Component::averages[0]) + kMostBytesOfBlock) * blocks_);
  }
  for (Component& component : components_) {
    component.columns = units_across_ * component.across;
    // T.81 A.2.2: a scan of one component has only the blocks inside of the picture. A scan of several also has those
    // that complete its last units.
    component.own_columns = RoundedUp(RoundedUp(width * component.across, most_across), 8);
    component.own_rows = RoundedUp(RoundedUp(height * component.down, most_down), 8);
    component.averages.resize(std::size_t{component.columns} * units_down_ * component.down);
  }
  const std::size_t start = header_.size();
  Keep(whole);
  header_[start + 1] = kSof1;
}

// Copied without decoding, because a file may define a table a million times before a scan uses one.
void AveragesReader::ReadTables(Bytes body) {
  while (!body.empty()) {
    Require(body.size() >= 17);
    std::size_t count = 0;
    for (const std::uint8_t of_length : body.subspan(1, 16)) count += of_length;
    const std::uint8_t which = body[0];
    Require(count <= 256 && body.size() >= 17 + count && (which & 0xF) < 4 && which >> 4 <= 1);
    if (which < 4) {
      for (const std::uint8_t category : body.subspan(17, count)) Require(category <= kMostCategory);
      definitions_[which] = body.subspan(1, 16 + count);
    }
    body = body.subspan(17 + count);
  }
}

void AveragesReader::ReadScan(Bytes body) {
  Require(!body.empty() && body[0] >= 1 && body[0] <= 4 && body.size() == 4 + std::size_t{2} * body[0]);
  scanned_ = true;
  const std::uint32_t count = body[0];
  // First and last coefficient, and the bits of the approximation: those of earlier scans and those still to come (T.81
  // G.1.1.1).
  const Bytes last = body.last(3);
  if (last[0] != 0) return SkipData();
  Require(last[1] == 0);
  const int before = last[2] >> 4, shift = last[2] & 15;
  Require(shift <= kMostShift && (before == 0 || before == shift + 1));
  std::vector<Component*> components;
  std::array<HuffmanTable, 4> tables;
  std::vector<const HuffmanTable*> table_of;
  for (std::uint32_t i = 0; i < count; ++i) {
    components.push_back(&Find(body[1 + 2 * i]));
    Begin(*components.back(), before, shift);
    const std::uint32_t table = body[2 + 2 * i] >> 4;
    Require(table < 4);
    // A refining scan has plain bits and needs no table.
    if (before == 0 && tables[table].empty()) {
      Require(!definitions_[table].empty());
      tables[table] = HuffmanTable(definitions_[table].first(16), definitions_[table].subspan(16));
    }
    table_of.push_back(&tables[table]);
  }
  ReadBlocks(components, table_of, before > 0, shift);
}

Component& AveragesReader::Find(std::uint32_t id) {
  const auto found = std::ranges::find(components_, id, &Component::id);
  Require(found != components_.end());
  return *found;
}

// Each bit of an average must occur once.
void AveragesReader::Begin(Component& component, int before, int shift) {
  Require(component.seen ? before > 0 && component.missing_bits == before : before == 0);
  component.seen = true;
  component.missing_bits = shift;
}

void AveragesReader::ReadBlocks(const std::vector<Component*>& components,
                                const std::vector<const HuffmanTable*>& tables, bool refine, int shift) {
  const bool alone = components.size() == 1;
  const std::uint32_t across = alone ? components[0]->own_columns : units_across_;
  const std::uint32_t down = alone ? components[0]->own_rows : units_down_;
  BitReader bits(NextData());
  std::array<int, 4> previous = {};
  std::uint32_t left = restart_interval_;
  std::uint8_t restart = kRst0;
  const auto take = [&](std::size_t i, std::int16_t& average) {
    if (refine) {
      if (bits.Take(1) != 0) average = static_cast<std::int16_t>(average | 1 << shift);
      return;
    }
    previous[i] += TakeDifference(bits, *tables[i]);
    // Prevents a damaged file from overflowing 16 bits.
    Require(std::abs(previous[i]) <= kMostAverage >> shift);
    average = static_cast<std::int16_t>(previous[i] * (1 << shift));
  };
  for (std::uint32_t y = 0; y < down; ++y) {
    for (std::uint32_t x = 0; x < across; ++x) {
      if (restart_interval_ > 0 && left-- == 0) {
        Require(bits.AtEnd() && at_ + 2 <= file_.size() && file_[at_ + 1] == restart);
        at_ += 2;
        restart = restart == kRst7 ? kRst0 : restart + 1;
        bits = BitReader(NextData());
        previous = {};
        left = restart_interval_ - 1;
      }
      if (alone) {
        take(0, components[0]->At(x, y));
      } else {
        VisitUnit(components, x, y, take);
      }
    }
  }
  Require(bits.AtEnd());
}

Bytes AveragesReader::NextData() {
  const std::size_t start = at_;
  while (true) {
    Require(at_ < file_.size());
    const void* found = std::memchr(&file_[at_], 0xFF, file_.size() - at_);
    Require(found != nullptr);
    at_ = static_cast<std::size_t>(static_cast<const std::uint8_t*>(found) - file_.data());
    Require(at_ + 1 < file_.size());
    // A zero behind 0xFF marks a byte of the data; anything else is a marker.
    if (file_[at_ + 1] != 0) return file_.subspan(start, at_ - start);
    at_ += 2;
  }
}

void AveragesReader::SkipData() {
  NextData();
  while (file_[at_ + 1] >= kRst0 && file_[at_ + 1] <= kRst7) {
    at_ += 2;
    NextData();
  }
}

}  // namespace gan::preprocess::jpeg
