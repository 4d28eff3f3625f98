#pragma once

#include <cstddef>
#include <optional>

#include "generate/engine/choose.h"
#include "generate/engine/latents.h"
#include "generate/engine/load.h"
#include "generate/engine/options.h"
#include "picture/mark.h"

namespace gan::generate {

// Makes the marks of the files that one call of gan-generate writes. Refers to its arguments.
class Marker {
 public:
  // chosen: the stops; latents: one per image, including those of a walk between the stops.
  Marker(const GenerateOptions& options, const TrainedGenerator& trained, const Chosen& chosen, const Latents& latents);

  // The mark for one file with all images; empty with --no-mark.
  std::optional<picture::Mark> OfAll() const;
  // The mark for a file that contains only image `i`.
  std::optional<picture::Mark> OfOne(std::size_t i) const;

 private:
  const GenerateOptions& options_;
  const Generator& generator_;
  const Chosen& chosen_;
  const Latents& latents_;
  picture::Mark model_;
};

// The mark of any picture of this generator, without a recipe.
picture::Mark MarkOf(const TrainedGenerator& trained);

}  // namespace gan::generate
