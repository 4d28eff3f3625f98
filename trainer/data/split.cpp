#include "trainer/data/split.h"

#include <algorithm>

#include "trainer/data/sampler.h"

namespace gan::data {

std::uint64_t ContentKey(std::uint32_t crc32c) {
  // The checksum in the lower half distinguishes records even if their random upper halves are equal. The smallest
  // checksums themselves would not be a random choice, because a CRC is linear in the content.
  const std::uint64_t random = Philox(0, 0, crc32c).v[0];
  return random << 32 | crc32c;
}

// Keeps the limit_ + 1 smallest candidates: the additional one shows where the groups that fit end.
void HoldoutChooser::Offer(std::uint64_t key, std::uint64_t record) {
  if (limit_ == 0) return;
  const Candidate candidate{key, record};
  if (smallest_.size() > limit_) {
    if (!(candidate < smallest_.front())) return;
    std::pop_heap(smallest_.begin(), smallest_.end());
    smallest_.pop_back();
  }
  smallest_.push_back(candidate);
  std::push_heap(smallest_.begin(), smallest_.end());
}

// Equal keys mean equal images. If such a group were split, the generator would be measured against its training
// images.
std::vector<std::uint64_t> HoldoutChooser::Choose() {
  std::sort_heap(smallest_.begin(), smallest_.end());
  // When the heap is full, further records with its last key may have been dropped, so the whole group of that key is
  // excluded.
  std::size_t chosen = smallest_.size();
  if (chosen > limit_) {
    const std::uint64_t end = smallest_.back().key;
    while (chosen > 0 && smallest_[chosen - 1].key == end) --chosen;
  }
  std::vector<std::uint64_t> records(chosen);
  for (std::size_t i = 0; i < chosen; ++i) records[i] = smallest_[i].record;
  return records;
}

std::uint64_t SkipHeld(std::uint64_t i, const std::vector<std::uint64_t>& held) {
  // The result is i plus the number of held-out records before it: the first j with held[j] - j > i.
  std::size_t low = 0, high = held.size();
  while (low < high) {
    const std::size_t middle = low + (high - low) / 2;
    if (held[middle] - middle > i) {
      high = middle;
    } else {
      low = middle + 1;
    }
  }
  return i + low;
}

}  // namespace gan::data
