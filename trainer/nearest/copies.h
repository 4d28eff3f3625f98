#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "trainer/nearest/training_images.h"

namespace gan::nearest {

inline bool IsCopy(const Neighbour& neighbour) { return neighbour.ratio < kClose; }

// Whether a generator has learnt its training images by heart. Real images that were not trained on can be close to a
// training image as well, for example as two photographs of one thing. So generated images are compared with held-out
// ones, as in the three-sample test of Meehan et al. ("A non-parametric test to detect data-copying in generative
// models", AISTATS 2020), but by the number of copies instead of by all distances: blurred images are near to
// everything.
struct Copies {
  std::size_t images = 0, copies = 0;             // generated
  std::size_t held_out = 0, held_out_copies = 0;  // real
  std::size_t originals = 0;                      // different training images that were copied
  // probability of at least this many copies if generated and held-out images were equally likely to be copies
  double probability = 1;
  bool learnt_by_heart = false;

  double rate() const;   // NaN without images
  double floor() const;  // the rate of the held-out images
};

// A generator has learnt by heart when its copies are too many for chance, and are copies of several training images.
// One image again and again is a mode collapse.
inline constexpr double kChance = 1e-3;
inline constexpr std::size_t kFewestOriginals = 3;
Copies Judge(std::span<const Neighbour> generated, std::span<const Neighbour> held_out);

// Fisher's one-sided exact test: the probability of at least `a` among `n` when a + b of n + m are drawn. 1 when n or m
// is 0. Requires a <= n and b <= m.
double FisherExact(std::uint64_t a, std::uint64_t n, std::uint64_t b, std::uint64_t m);

// "84 % of 256 generated images are copies of training images, and 2 % of 48 held-out images"
std::string Words(const Copies& copies);

}  // namespace gan::nearest
