#pragma once

#include <cstdint>

namespace gan::step {

// kDiff: every operation on every image. kAda: each operation on each image with a probability that adapts to how much
// D overfits to the training images.
enum class Augmentation { kNone, kDiff, kAda };

}  // namespace gan::step
