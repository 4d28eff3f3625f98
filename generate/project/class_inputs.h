#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "generate/engine/generator.h"

namespace gan::project {

// Converts latents to the inputs of a generator's first layer: with classes, the row of a class is appended to each
// latent. Without classes the two are equal, and nothing is copied. Spans are valid until the next call.
class ClassInputs {
 public:
  explicit ClassInputs(const generate::Generator& generator);

  std::size_t noise_dim() const { return noise_dim_; }

  // latents: float [N, noise_dim]; classes: one per latent, empty for a generator without classes.
  std::span<const float> Join(std::span<const float> latents, std::span<const std::uint32_t> classes);
  // The part of a gradient with respect to the inputs that belongs to the latents.
  std::span<const float> LatentPart(std::span<const float> gradient);

 private:
  std::size_t noise_dim_;
  std::optional<generate::ClassTable> classes_;
  std::vector<float> inputs_, gradient_;
};

}  // namespace gan::project
