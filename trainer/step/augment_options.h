#pragma once

#include <cstdint>

namespace gan::step {

// kDiff: every operation on every image. kAda: each operation on each image with a probability that follows how well D
// knows the training images by heart.
enum class Augmentation { kNone, kDiff, kAda };

}  // namespace gan::step
