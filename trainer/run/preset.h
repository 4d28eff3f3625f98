// The settings that --preset chooses. Pure functions: they know neither files nor the machine nor the clock, so every
// rule can be tested, and all ranks can be told what one of them has chosen.
#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "trainer/run/options.h"

namespace gan::run {

// What the choice depends on. The options that the user has given count as well.
struct PresetFacts {
  std::uint64_t images = 0;                 // in training
  std::uint32_t side = 0;                   // pixels of a record
  std::vector<std::uint64_t> class_images;  // in training, by class; empty without labels
  int ranks = 1;
  int cores = 1;                                                  // compute threads of all ranks
  bool on_gpu = false;                                            // the networks are
  double memory_bytes = std::numeric_limits<double>::infinity();  // that a rank may take on its host
  double seconds = 0;                                             // of --time; 0: not given
};

// The values for the options that the user has not given, in the order of the rules. Throws UsageError when the flags
// of the balance are wrong.
std::vector<Chosen> Choose(const TrainOptions& options, const PresetFacts& facts);

// What --quality-every auto means. held_out: the number of held-out images; images_per_step: over all ranks.
Chosen QualityEvery(std::uint64_t held_out, std::uint64_t images_per_step, bool on_gpu);

// Sets these options, except for those that the user has given, and remembers them in options.chosen.
void Apply(const std::vector<Chosen>& chosen, TrainOptions& options);

}  // namespace gan::run
