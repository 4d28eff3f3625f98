// The settings that --preset chooses. The functions are pure, without access to files, machine or clock. So every rule
// can be tested, and one rank can choose for all.
#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "trainer/run/options.h"

namespace gan::run {

// The facts on which the choice depends, besides the options that the user has given.
struct PresetFacts {
  std::uint64_t images = 0;                 // in training
  std::uint32_t side = 0;                   // pixels per side of a record
  std::vector<std::uint64_t> class_images;  // training images per class; empty without labels
  int ranks = 1;
  int cores = 1;                                                  // compute threads of all ranks
  bool on_gpu = false;                                            // whether the networks are on a GPU
  double memory_bytes = std::numeric_limits<double>::infinity();  // maximum per rank on its host
  double seconds = 0;                                             // the value of --time; 0: not given
};

// The values for the options that the user has not given, in the order of the rules. Throws UsageError when the flags
// of the balance are wrong.
std::vector<Chosen> Choose(const TrainOptions& options, const PresetFacts& facts);

// The value for --quality-every auto. held_out: the number of held-out images; images_per_step: over all ranks.
Chosen QualityEvery(std::uint64_t held_out, std::uint64_t images_per_step, bool on_gpu);

// Sets these options, except for those that the user has given, and remembers them in options.chosen.
void Apply(const std::vector<Chosen>& chosen, TrainOptions& options);

}  // namespace gan::run
