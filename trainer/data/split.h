// Decides from content alone which records are held out.
#pragma once

#include <cstdint>
#include <vector>

namespace gan::data {

// The key by which records are chosen: a bijection of the CRC32C, so equal images have equal keys.
std::uint64_t ContentKey(std::uint32_t crc32c);

// Chooses the records with the smallest keys: as many as fit into `limit` without splitting a group of equal keys. One
// scan over the keys, O(limit) memory. The result does not depend on the order of the records.
class HoldoutChooser {
 public:
  explicit HoldoutChooser(std::uint64_t limit) : limit_(limit) {}
  void Offer(std::uint64_t key, std::uint64_t record);
  // The chosen records by ascending key (then number). Call once, after the last Offer().
  std::vector<std::uint64_t> Choose();

 private:
  struct Candidate {
    std::uint64_t key, record;
    bool operator<(const Candidate& other) const { return key != other.key ? key < other.key : record < other.record; }
  };

  std::uint64_t limit_;
  std::vector<Candidate> smallest_;  // a max-heap of limit + 1: its top is the first key that does not fit
};                                   // a max-heap of limit + 1 entries; its top is the first key that does not fit

// The number of the i-th record that is not in `held` (ascending record numbers). Takes O(log held).
std::uint64_t SkipHeld(std::uint64_t i, const std::vector<std::uint64_t>& held);

}  // namespace gan::data
