#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "picture/grid.h"
#include "trainer/data/loader.h"
#include "trainer/nearest/copies.h"
#include "trainer/nearest/training_images.h"

namespace gan::nearest {

// The maximum number of training images that are compared. They are chosen in a random order that depends only on their
// number. In a larger data set only part of the copies is found, among generated and held-out images alike.
inline constexpr std::uint64_t kMostTraining = 10'000;
inline constexpr std::uint64_t kMostHeldOut = 512;
// The number of generated images that are compared, unless a user asks for another.
inline constexpr std::uint64_t kGenerated = 256;

// The images of a data set, ready for comparison. Thread-safe after construction.
class Reference {
 public:
  // flip: as in TrainingImages. `alive` is called every few hundred images, because reading a large data set can take
  // long. A damaged record is replaced by the next intact one, without a message, because other readers of the same
  // records report it. Throws DataError when no record is intact.
  Reference(std::shared_ptr<const data::Dataset> dataset, bool flip, const std::function<void()>& alive);

  const TrainingImages& training() const { return *training_; }
  const std::vector<Neighbour>& held_out() const { return held_out_; }
  // uint8 [side, side, 3]: the training image, mirrored when that is nearer. Throws DataError.
  std::vector<std::uint8_t> Original(const Neighbour& neighbour, std::size_t side) const;

 private:
  std::shared_ptr<const data::Dataset> dataset_;
  std::vector<std::uint64_t> records_;  // of the thumbnails
  std::optional<TrainingImages> training_;
  std::vector<Neighbour> held_out_;
};

// Looks for copies among generated images. Keeps only the images that look most like copies. Not thread-safe.
class Examination {
 public:
  // Requires reference.training().AreEnough(). `side`: of the generated images.
  Examination(const Reference& reference, std::size_t side) : reference_(reference), side_(side) {}

  // rgb: uint8 [N, side, side, 3].
  void Add(std::span<const std::uint8_t> rgb);
  Copies Result() const { return Judge(generated_, reference_.held_out()); }

  // Generated images in odd rows, from the one that looks most like a copy on, and below each of them its nearest
  // training image. At most kPairs pairs, kColumns in a row; at least one image must have been added.
  static constexpr std::size_t kPairs = 32, kColumns = 8;
  picture::GridImage Pairs() const;

 private:
  struct Shown {
    Neighbour neighbour;
    std::vector<std::uint8_t> rgb;
  };

  const Reference& reference_;
  std::size_t side_;
  std::vector<Neighbour> generated_;
  std::vector<Shown> shown_;  // sorted by ratio
};

}  // namespace gan::nearest
