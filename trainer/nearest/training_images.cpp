#include "trainer/nearest/training_images.h"

#include <algorithm>
#include <cmath>
#include <set>
#include <stdexcept>

namespace gan::nearest {

namespace {

// At most 768 x 255 x 255, which fits 32 bits.
// Whole numbers add up exactly in any order, so a vectorised loop gives the same distance on every machine.
std::uint32_t SquaredDistance(const Thumbnail& a, const Thumbnail& b) {
  std::uint32_t sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const int difference = int{a[i]} - int{b[i]};
    sum += static_cast<std::uint32_t>(difference * difference);
  }
  return sum;
}

double Levels(std::uint32_t squared) {
  return std::sqrt(static_cast<double>(squared) / static_cast<double>(Thumbnail().size()));
}

}  // namespace

TrainingImages::TrainingImages(const std::vector<Thumbnail>& thumbnails, bool flip) : flip_(flip) {
  std::set<Thumbnail> known;
  for (std::size_t i = 0; i < thumbnails.size(); ++i) {
    // Several equal images would make the fifth neighbour as near as the first, and hide every copy of them.
    if (!known.insert(thumbnails[i]).second) continue;
    thumbnails_.push_back(thumbnails[i]);
    images_.push_back(i);
  }
}

// Mirrors the image instead of every training image; the distances are the same.
Neighbour TrainingImages::NearestTo(const Thumbnail& thumbnail) const {
  if (!AreEnough()) throw std::logic_error("a nearest image is asked for among too few");
  const Thumbnail mirrored = Mirrored(thumbnail);
  std::vector<std::uint32_t> squared(thumbnails_.size());
  for (std::size_t i = 0; i < squared.size(); ++i) {
    squared[i] = SquaredDistance(thumbnail, thumbnails_[i]);
    if (flip_) squared[i] = std::min(squared[i], SquaredDistance(mirrored, thumbnails_[i]));
  }
  const auto at = static_cast<std::size_t>(std::ranges::min_element(squared) - squared.begin());
  Neighbour nearest;
  nearest.image = images_[at];
  nearest.mirrored = flip_ && squared[at] < SquaredDistance(thumbnail, thumbnails_[at]);
  nearest.distance = Levels(squared[at]);
  // Destroys the order of `squared`, so it comes after everything that needs positions.
  std::ranges::nth_element(squared, squared.begin() + kNeighbours - 1);
  const double fifth = Levels(squared[kNeighbours - 1]);
  nearest.ratio = nearest.distance > 0 ? nearest.distance / fifth : 0;
  return nearest;
}

}  // namespace gan::nearest
