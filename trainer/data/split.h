// Which records are held out, decided by content alone.
#pragma once

#include <cstdint>
#include <vector>

namespace gan::data {

// A record's place in the order of choice: a bijection of its CRC32C, so equal pictures have equal keys.
std::uint64_t ContentKey(std::uint32_t crc32c);

// The records with the smallest keys, at most `limit` of them and only whole groups of equal keys: as many as fit.
// One pass over the keys, O(limit) memory, the same choice whatever the order of the records.
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
};

// The number of the i-th record that is not in `held` (ascending record numbers). O(log held).
std::uint64_t SkipHeld(std::uint64_t i, const std::vector<std::uint64_t>& held);

}  // namespace gan::data
