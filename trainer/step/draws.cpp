#include "trainer/step/draws.h"

#include "trainer/data/sampler.h"
#include "trainer/step/device_work.h"

namespace gan::step {

Draws DrawsOf(std::uint64_t seed, std::uint64_t first_image, std::int64_t count, torch::Device device) {
  // Made whether or not the step augments: the numbers come from counters, so unused ones change nothing.
  torch::Tensor augment = torch::empty({kAugmentUses, count, kAugmentDraws}, torch::kDouble);
  torch::Tensor mix = torch::empty({count}, torch::kDouble);
  auto* number = augment.data_ptr<double>();
  for (std::uint64_t use = 0; use < kAugmentUses; ++use) {
    for (std::int64_t image = 0; image < count; ++image) {
      const std::uint64_t cursor = first_image + static_cast<std::uint64_t>(image);
      // The use is part of the counter.
      for (std::uint64_t draw = 0; draw < kAugmentDraws; ++draw) {
        *number++ = data::Uniform(seed, data::Stream::kAugment, cursor, use << 8 | draw);
      }
    }
  }
  for (std::int64_t image = 0; image < count; ++image) {
    mix.data_ptr<double>()[image] =
        data::Uniform(seed, data::Stream::kPenalty, first_image + static_cast<std::uint64_t>(image), 0);
  }
  return {.augment = ToDevice(augment, device), .mix = ToDevice(mix, device)};
}

}  // namespace gan::step
