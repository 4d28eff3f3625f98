#include "trainer/data/classes.h"

#include <algorithm>
#include <utility>

namespace gan::data {

// A class without images is never drawn: D has seen no real image of it, so G could not learn it.
Classes::Classes(std::vector<ClassInfo> classes, ClassSampling sampling) : all_(std::move(classes)) {
  std::uint64_t end = 0;
  for (const ClassInfo& one : all_) {
    end += sampling == ClassSampling::kData ? one.images : std::min<std::uint64_t>(one.images, 1);
    ends_.push_back(end);
  }
}

// Whole numbers, so that every machine draws the same class.
std::uint32_t Classes::Draw(std::uint64_t seed, Stream latents, std::uint64_t cursor) const {
  // The stream of the latents is used as the sample number, so D's and G's images of one cursor get independent
  // classes.
  const double uniform = Uniform(seed, Stream::kClass, cursor, static_cast<std::uint64_t>(latents));
  const auto place = static_cast<std::uint64_t>(uniform * static_cast<double>(ends_.back()));
  // upper_bound skips classes without images, whose end equals that of the previous class. The minimum guards against a
  // product that rounds up to the end.
  const auto found = std::upper_bound(ends_.begin(), ends_.end(), std::min(place, ends_.back() - 1));
  return static_cast<std::uint32_t>(found - ends_.begin());
}

}  // namespace gan::data
