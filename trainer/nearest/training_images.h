#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "trainer/nearest/thumbnail.h"

namespace gan::nearest {

// The training image that is nearest to an image.
struct Neighbour {
  std::size_t image = 0;  // position in the thumbnails that TrainingImages was given
  bool mirrored = false;  // the mirrored training image is nearer
  double distance = 0;    // root of the mean squared difference of the thumbnails, in levels from 0 to 255
  double ratio = 0;       // distance relative to that of the kNeighbours-th nearest training image
};

// An image is close to a training image when it is less than half as far from it as from its fifth nearest one. No
// limit in absolute terms would fit all data sets. Carlini et al. ("Extracting training data from diffusion models",
// USENIX Security 2023) divide by the mean distance of the 50 nearest images, Yoon et al. ("Diffusion probabilistic
// models generalize when they fail to memorize", ICML workshop 2023) by that of the second. The fifth lies between:
// three further versions of an image do not hide a copy of it, and a blurred image that is near a whole group of
// training images does not count as a copy.
inline constexpr std::size_t kNeighbours = 5;
inline constexpr double kClose = 0.5;

// Searches all training images exactly. Memory: 768 bytes per image. Thread-safe after construction.
class TrainingImages {
 public:
  // flip: training mirrors images, so their mirrored versions count as well. Only the first of several equal thumbnails
  // counts, so that neighbours are different images.
  TrainingImages(const std::vector<Thumbnail>& thumbnails, bool flip);

  // The number of different images.
  std::size_t size() const { return thumbnails_.size(); }
  // Whether there are enough of them for a ratio.
  bool AreEnough() const { return size() > kNeighbours; }
  // Requires AreEnough(). Returns the first of several equally near images.
  Neighbour NearestTo(const Thumbnail& thumbnail) const;

 private:
  std::vector<Thumbnail> thumbnails_;  // all different
  std::vector<std::size_t> images_;    // their positions
  bool flip_;
};

}  // namespace gan::nearest
